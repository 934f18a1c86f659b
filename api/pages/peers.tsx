import { listPeers, type PeerRow } from '#db/read/peer.ts'
import { listSupplierInvoices } from '#db/read/supplier-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { sayMessages } from '#domain/peer-message.ts'
import type { Frame } from '../frame.ts'
import { commandPeer } from '../routes/peers.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Folded, Refusal, RowButton } from './form.tsx'
import { Empty, ExactMoment, Moment, Section, State, Table } from './parts.tsx'
import { SupplierInvoices } from './payables.tsx'
import { agreedText, peerAgreedPath } from './peer-agreed.tsx'
import { peersPath } from './peer-frame.tsx'
import { peerKeysPath } from './peer-keys.tsx'
import { isPairing, Pairing, registerPeerPairingForms, type PeersNews } from './peer-pairing.tsx'
import { registerRowForm } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

/** The newest; all of them are in the API. */
const shown = 100

/** Other installations, what waits for them, and what came from them. */
export function registerPeerPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: peersPath, permission: 'peers:read' },
    async (view) => await peersBody(frame, view),
  )
  registerPeerPairingForms(frame, async (view, news) => await peersBody(frame, view, news))
  for (const command of ['resume', 'close'] as const)
    registerRowForm(frame, {
      path: `${peersPath}/:id/${command}`,
      permission: 'peers:write',
      form: (id) => id,
      carryOut: async (tx, { id, actor, now }) => {
        await commandPeer(tx, id, command, { actor, now })
        return peersPath
      },
      showAgain: async (view, _id, refused) => await peersBody(frame, view, { refused }),
    })
}

async function peersBody(frame: Frame, view: ConsoleView, news: PeersNews = {}): Promise<ConsoleBody> {
  const { refused } = news
  const newest = { limit: shown, cursor: null, direction: 'after' } as const
  const [peers, received] = await Promise.all([
    listPeers(frame.deps.db, newest),
    listSupplierInvoices(frame.deps.db, newest),
  ])
  return {
    title: 'Peers',
    current: 'settings',
    liveFilter: '',
    children: (
      <SettingsFrame current={peersPath}>
        <Section id="peers" title="Peers" isLive>
          {refused !== undefined && !isPairing(refused) && <Refusal refused={refused} />}
          {peers.length === 0 ? (
            <Empty>
              None: no other installation bills this one or is billed by it. Invite one, or accept its
              invitation, below.
            </Empty>
          ) : (
            <Table
              caption="Peers, newest first"
              head={['Who', 'State', 'Documents and messages', 'Keys', 'Ask']}
            >
              {peers.map((row) => (
                <Peer view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="received" title="Supplier invoices" isLive>
          <SupplierInvoices rows={received} timeZone={view.timeZone} />
        </Section>
        <Pairing view={view} news={news} />
      </SettingsFrame>
    ),
  }
}

function Peer({ view, row }: { view: ConsoleView; row: PeerRow }) {
  const id = encodeId('peer', row.id)
  return (
    <tr>
      <th scope="row">
        {row.name ?? 'Not known yet'}
        <div class="hint">{agreedText(row)}</div>
      </th>
      <td>
        <State state={row.state} />
        {row.halted_reason !== null && <div class="hint">{row.halted_reason}</div>}
        {row.state === 'accepting' && row.waiting_reason !== null && (
          <div class="hint">{row.waiting_reason}</div>
        )}
        <InvitationTerm view={view} row={row} />
      </td>
      <td>
        {row.role === 'supplier'
          ? `${sayMessages(row.received, 'document')} received`
          : `${sayMessages(row.delivered, 'document')} delivered`}
        {row.waiting_since !== null && (
          <div class="hint">
            {row.waiting === 1 ? '1 message waits' : `${row.waiting} messages wait`} since{' '}
            <Moment at={row.waiting_since} {...view} />
            {row.waiting_reason !== null && `: ${row.waiting_reason}`}
            {row.waiting_kinds.map((of) => (
              <div>
                {sayMessages(of.waiting, of.kind)}
                {!of.is_understood && ', not understood there yet'}
              </div>
            ))}
          </div>
        )}
        {row.untaken > 0 && (
          <div class="hint">
            {row.untaken} documents never taken: they go over once it is paired with anew
          </div>
        )}
      </td>
      <td>
        <Fingerprint of="ours" text={row.own_key} />
        <Fingerprint of="theirs" text={row.other_key} />
        <a href={peerKeysPath(id)}>
          All keys<span class="visually-hidden"> with {row.name ?? id}</span>
        </a>
      </td>
      <td>
        {row.paired_at !== null && (
          <a href={peerAgreedPath(id)}>
            What is agreed<span class="visually-hidden"> with {row.name}</span>
          </a>
        )}{' '}
        {row.paired_at !== null && row.state !== 'closed' && (
          <a href={`${peersPath}/${id}/proofs`}>
            Compare<span class="visually-hidden"> with {row.name}</span>
          </a>
        )}
        {row.state === 'halted' && (
          <RowButton view={view} action={`${peersPath}/${id}/resume`} of={row.name ?? id}>
            Resume
          </RowButton>
        )}
        {row.state !== 'closed' && <Closing view={view} row={row} />}
      </td>
    </tr>
  )
}

/** An invitation is withdrawn at once; what a trust ends with is said before. */
function Closing({ view, row }: { view: ConsoleView; row: PeerRow }) {
  const id = encodeId('peer', row.id)
  const close = (word: string) => (
    <RowButton view={view} action={`${peersPath}/${id}/close`} of={row.name ?? id}>
      {word}
    </RowButton>
  )
  if (row.state === 'invited') return close('Withdraw')
  return (
    <Folded form={`close-${id}`} refused={undefined} title="Close…">
      <p class="hint">
        Nothing is sent or taken any more, and its keys are revoked. What was received stays. To go on later,
        the two are paired anew.
      </p>
      {close('Close')}
    </Folded>
  )
}

/** Of an invitation that nobody has accepted. */
function InvitationTerm({ view, row }: { view: ConsoleView; row: PeerRow }) {
  const { state, invitation_expires_at: expiresAt } = row
  if (state !== 'invited' || expiresAt === null) return null
  return (
    <div class="hint">
      {expiresAt > view.now ? 'holds until' : 'not accepted before'}{' '}
      <ExactMoment at={expiresAt} timeZone={view.timeZone} />
    </div>
  )
}

/** People of both sides read it to each other. */
function Fingerprint(props: { of: string; text: string | null }) {
  if (props.text === null) return null
  return (
    <div class="hint whole">
      {props.of} <code>{props.text.slice(0, 16)}…</code>
    </div>
  )
}
