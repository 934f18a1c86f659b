import { listProofs, type ProofRow } from '#db/read/peer-question.ts'
import { getPeer, type PeerRow } from '#db/read/peer.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { prove } from '../routes/peer-proofs.ts'
import { newProofSchema } from '../schemas/peer-question.ts'
import { commandIdOf } from '../subscription-commands.ts'
import { parse } from '../validation.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, TextField, type RefusedInput } from './form.tsx'
import { sayActor } from './event-text.ts'
import { formatPeriod, plural } from './format.ts'
import { Day, Empty, Moment, Section, State, Table } from './parts.tsx'
import { PeerFrame, peersPath } from './peer-frame.tsx'
import { refusedInput, saidOf } from './row-form.ts'
import { keyedForm, readForm, refusedStatus } from './sent-form.ts'

const form = 'compare'
/** The newest; all of them are in the API. */
const shown = 50

/** Whether a peer has the same documents, asked by a button, and what was found before. */
export function registerPeerProofPages(frame: Frame): void {
  const path = `${peersPath}/:id/proofs`
  consolePage(
    frame,
    { method: 'get', path, permission: 'peers:read' },
    async (view, ctx) => await proofsBody(frame, view, ctx.req.param('id') ?? ''),
  )
  consolePage(frame, { method: 'post', path, permission: 'peers:write' }, async (view, ctx) => {
    const address = ctx.req.param('id') ?? ''
    const sent = await readForm(ctx)
    const { idempotency_key: _key, ...values } = sent
    try {
      const { request } = keyedForm(ctx, sent)
      const { name } = requireOperator(ctx)
      const body = parse(newProofSchema, saidOf(values), 'body')
      await prove(frame, frame.deps.db, { address, body, by: name, now: view.now, key: commandIdOf(request) })
      return ctx.redirect(`${peersPath}/${address}/proofs`, 303)
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      const refused = refusedInput(form, values, error)
      return { ...(await proofsBody(frame, view, address, refused)), status: refusedStatus(error.code) }
    }
  })
}

async function proofsBody(
  { deps: { db } }: Frame,
  view: ConsoleView,
  address: string,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const peerId = await resolveAddress(db, 'peer', address)
  const page = { limit: shown, cursor: null, direction: 'after', peerId } as const
  const [peer, proofs] = await Promise.all([getPeer(db, peerId), listProofs(db, page)])
  return {
    title: `Documents with ${peer.name ?? 'a peer'}`,
    current: 'settings',
    children: (
      <PeerFrame>
        <Section id="compare" title={`Compare the documents with ${peer.name ?? 'the peer'}`}>
          <p>Each side signs what it has; both answers are kept.</p>
          <CompareForm view={view} peer={peer} refused={refused} />
        </Section>
        <Section id="proofs" title="What was found">
          {proofs.length === 0 ? (
            <Empty>Nothing was compared yet.</Empty>
          ) : (
            <Proofs view={view} proofs={proofs} />
          )}
        </Section>
        <Differences proof={newestCompared(proofs)} />
      </PeerFrame>
    ),
  }
}

function CompareForm(props: { view: ConsoleView; peer: PeerRow; refused: RefusedInput | undefined }) {
  const at = { form, refused: props.refused }
  return (
    <PostForm {...at} view={props.view} action={`${peersPath}/${encodeId('peer', props.peer.id)}/proofs`}>
      <TextField
        {...at}
        name="from"
        type="date"
        label="From"
        hint="The first day of issue; left out, a year before."
      />
      <TextField
        {...at}
        name="to"
        type="date"
        label="To"
        hint="The day after the last; left out, tomorrow."
      />
      <div class="buttons">
        <button type="submit" class="primary">
          Compare
        </button>
      </div>
    </PostForm>
  )
}

function Proofs({ view, proofs }: { view: ConsoleView; proofs: readonly ProofRow[] }) {
  return (
    <Table
      caption="What was compared, newest first"
      head={['When', 'Issued', 'Asked by', { number: 'Here' }, { number: 'There' }, 'Found']}
    >
      {proofs.map((proof) => (
        <tr>
          <th scope="row">
            <Moment at={proof.asked_at} {...view} />
          </th>
          <td>{formatPeriod(proof.question.from, proof.question.to)}</td>
          <td>{proof.is_asked_here ? sayActor(proof.asked_by, view.operator) : 'the peer'}</td>
          <td class="number">{countOf(proof.answer?.ours ?? [])}</td>
          <td class="number">{countOf(proof.answer?.theirs ?? [])}</td>
          <td>
            <Found proof={proof} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

function countOf(months: readonly { documents: number }[]): number {
  return months.reduce((sum, { documents }) => sum + documents, 0)
}

function Found({ proof: { answer, refusal_detail: refusal } }: { proof: ProofRow }) {
  if (answer === null)
    return (
      <>
        <State state="failed">no answer</State> <div class="hint">{refusal}</div>
      </>
    )
  if (answer.isEqual) return <State state="done">equal</State>
  const count = answer.differences?.length
  return (
    <State state="disputed">
      {count === undefined ? 'differs' : `${plural(count, 'document')} ${count === 1 ? 'differs' : 'differ'}`}
    </State>
  )
}

const texts = {
  missing_there: 'is not over there',
  missing_here: 'is not here',
  other_content: 'has another content over there',
} as const

/** One that got no answer says nothing of what differs. */
function newestCompared<Proof extends Pick<ProofRow, 'answer'>>(proofs: readonly Proof[]): Proof | undefined {
  return proofs.find(({ answer }) => answer !== null && answer.differences !== null)
}

/** Of the newest that was looked into. */
function Differences({ proof }: { proof: ProofRow | undefined }) {
  const differences = proof?.answer?.differences ?? []
  if (differences.length === 0) return null
  return (
    <Section id="differences" title="Documents that differ">
      <Table caption="Documents that differ" head={['Number', 'Issued', 'What']}>
        {differences.map((row) => (
          <tr>
            <th scope="row">{row.number}</th>
            <td>
              <Day date={row.issuedOn} />
            </td>
            <td>
              {texts[row.difference]}
              {row.isWaiting && <div class="hint">It is on its way.</div>}
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}
