import { listPeers, type PeerRow } from '#db/read/peer.ts'
import { listSupplierInvoices } from '#db/read/supplier-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { acceptInvitation } from '../routes/peer-pairing.ts'
import { commandPeer } from '../routes/peers.ts'
import { acceptedInvitationSchema } from '../schemas/peer.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { PostForm, Refusal, RowButton, TextField, type RefusedInput } from './form.tsx'
import { Empty, Moment, Section, State, Table } from './parts.tsx'
import { SupplierInvoices } from './payables.tsx'
import { peerKeysPath } from './peer-keys.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/peers'
const acceptForm = 'accept'
/** The newest; all of them are in the API. */
const shown = 100

/** Other installations, what waits for them, and what came from them. */
export function registerPeerPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'peers:read' },
    async (view) => await peersBody(frame, view),
  )
  const showAgain = async (view: ConsoleView, _id: string, refused: RefusedInput) =>
    await peersBody(frame, view, refused)
  registerRowForm(frame, {
    path,
    permission: 'peers:write',
    form: () => acceptForm,
    carryOut: async (tx, { values, actor, now }) => {
      await acceptInvitation(frame, tx, parse(acceptedInvitationSchema, saidOf(values), 'body'), {
        actor,
        now,
      })
      return path
    },
    showAgain,
  })
  for (const command of ['resume', 'close'] as const)
    registerRowForm(frame, {
      path: `${path}/:id/${command}`,
      permission: 'peers:write',
      form: (id) => id,
      carryOut: async (tx, { id, actor, now }) => {
        await commandPeer(tx, id, command, { actor, now })
        return path
      },
      showAgain,
    })
}

async function peersBody(frame: Frame, view: ConsoleView, refused?: RefusedInput): Promise<ConsoleBody> {
  const newest = { limit: shown, cursor: null, direction: 'after' } as const
  const [peers, received] = await Promise.all([
    listPeers(frame.deps.db, newest),
    listSupplierInvoices(frame.deps.db, newest),
  ])
  return {
    title: 'Peers',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="peers" title="Peers">
          {refused !== undefined && refused.form !== acceptForm && <Refusal refused={refused} />}
          {peers.length === 0 ? (
            <Empty>
              None: no other installation bills this one or is billed by it. Invite one with{' '}
              <code>npx clouder peers invite</code>, or accept its invitation below.
            </Empty>
          ) : (
            <Table caption="Peers, newest first" head={['Who', 'State', 'Documents', 'Keys', 'Ask']}>
              {peers.map((row) => (
                <Peer view={view} row={row} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="received" title="Supplier invoices">
          <SupplierInvoices rows={received} timeZone={view.timeZone} />
        </Section>
        <Section id="accept" title="Accept an invitation">
          <AcceptForm view={view} refused={refused} />
        </Section>
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
        <div class="hint">
          {row.role === 'supplier' ? 'bills us' : `is billed as ${row.customer_code ?? ''}`}
        </div>
      </th>
      <td>
        <State state={row.state} />
        {row.halted_reason !== null && <div class="hint">{row.halted_reason}</div>}
      </td>
      <td>
        {row.role === 'supplier' ? `${row.received} received` : `${row.delivered} delivered`}
        {row.waiting_since !== null && (
          <div class="hint">
            {row.waiting} wait since <Moment at={row.waiting_since} {...view} />
            {row.waiting_reason !== null && `: ${row.waiting_reason}`}
            {row.waiting_kinds.map((of) => (
              <div>
                {of.waiting} {of.kind.replaceAll('_', ' ')}
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
        {row.paired_at !== null && row.state !== 'closed' && (
          <a href={`${path}/${id}/proofs`}>
            Compare<span class="visually-hidden"> with {row.name}</span>
          </a>
        )}
        {row.state === 'halted' && (
          <RowButton view={view} action={`${path}/${id}/resume`} of={row.name ?? id}>
            Resume
          </RowButton>
        )}
        {row.state !== 'closed' && (
          <RowButton view={view} action={`${path}/${id}/close`} of={row.name ?? id}>
            Close
          </RowButton>
        )}
      </td>
    </tr>
  )
}

/** People of both sides read it to each other. */
function Fingerprint(props: { of: string; text: string | null }) {
  if (props.text === null) return null
  return (
    <div class="hint">
      {props.of} <code>{props.text.slice(0, 16)}…</code>
    </div>
  )
}

function AcceptForm({ view, refused }: { view: ConsoleView; refused: RefusedInput | undefined }) {
  const at = { form: acceptForm, refused }
  return (
    <PostForm {...at} view={view} action={path}>
      <TextField
        {...at}
        name="invitation"
        label="Invitation"
        hint="As the other installation showed it. It holds for ten minutes."
        isRequired
      />
      <TextField
        {...at}
        name="customer"
        label="Customer"
        hint="Whom we bill, where the other installation is to be billed. Left out, it bills us."
      />
      <div class="buttons">
        <button type="submit" class="primary">
          Accept
        </button>
      </div>
    </PostForm>
  )
}
