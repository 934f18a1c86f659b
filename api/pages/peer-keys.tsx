import type { Db } from '#db/database.ts'
import { getPeer, type PeerKeyFacts, type PeerRefusalFacts, type PeerRow } from '#db/read/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { changeKeys, type PeerKeyCommand } from '../routes/peer-keys.ts'
import { pinnedKeySchema, revokedKeySchema } from '../schemas/peer.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Folded, PostForm, Refusal, RowButton, TextField, type RefusedInput } from './form.tsx'
import { Empty, Moment, Section, Table } from './parts.tsx'
import { PeerFrame, peersPath } from './peer-frame.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import type { Values } from './sent-form.ts'

const pinForm = 'pin'

/** Where the keys of a peer are. */
export function peerKeysPath(id: string): string {
  return `${peersPath}/${id}/keys`
}

/** By which keys the messages of a peer are known, and what was refused of it. */
export function registerPeerKeyPages(frame: Frame): void {
  const path = peerKeysPath(':id')
  consolePage(
    frame,
    { method: 'get', path, permission: 'peers:read' },
    async (view, ctx) => await keysBody(frame.deps.db, view, ctx.req.param('id') ?? ''),
  )
  const commands: Readonly<Record<string, (values: Values) => PeerKeyCommand>> = {
    rotate: () => ({ command: 'rotate-key' }),
    revoke: (values) => {
      const { fingerprint } = parse(revokedKeySchema, saidOf(values), 'body')
      return { command: 'revoke-key', fingerprint }
    },
    pin: (values) => {
      const { public_key: publicKey } = parse(pinnedKeySchema, saidOf(values), 'body')
      return { command: 'pin-key', publicKey }
    },
  }
  for (const [name, ask] of Object.entries(commands))
    registerRowForm(frame, {
      path: `${path}/${name}`,
      permission: 'peers:write',
      form: () => name,
      carryOut: async (tx, { id, values, actor, now }) => {
        await changeKeys(frame, tx, id, ask(values), { actor, now })
        return peerKeysPath(id)
      },
      showAgain: async (view, id, refused) => await keysBody(frame.deps.db, view, id, refused),
    })
}

async function keysBody(
  db: Db,
  view: ConsoleView,
  address: string,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const peer = await getPeer(db, await resolveAddress(db, 'peer', address))
  const name = peer.name ?? 'a peer that is not known yet'
  const isSpokenTo = peer.state === 'active' || peer.state === 'halted'
  return {
    title: `Keys with ${name}`,
    current: 'settings',
    children: (
      <PeerFrame>
        <Section id="keys" title={`Keys with ${name}`}>
          {refused !== undefined && refused.form !== pinForm && <Refusal refused={refused} />}
          <Table
            caption="Keys, newest first. People of both sides compare the fingerprints"
            head={['Whose', 'Fingerprint', 'Since', 'Until', 'Ask']}
          >
            {peer.keys.map((key) => (
              <Key view={view} peer={peer} of={key} isSpokenTo={isSpokenTo} />
            ))}
          </Table>
          {isSpokenTo && (
            <RowButton view={view} action={`${peerKeysPath(encodeId('peer', peer.id))}/rotate`} of={name}>
              Make our next key
            </RowButton>
          )}
        </Section>
        <Section id="refused" title="Refused messages">
          <Refused view={view} rows={peer.refusals} />
        </Section>
        {isSpokenTo && (
          <Section id="pin" title="Pin a key of the other side">
            <PinForm view={view} peer={peer} refused={refused} />
          </Section>
        )}
      </PeerFrame>
    ),
  }
}

function Key(props: { view: ConsoleView; peer: PeerRow; of: PeerKeyFacts; isSpokenTo: boolean }) {
  const { view, of: key } = props
  return (
    <tr>
      <th scope="row">{key.side}</th>
      <td>
        <code>{key.fingerprint}</code>
        {key.side === 'ours' && (
          <div class="hint">
            public key <code>{Buffer.from(key.key, 'base64').toString('base64url')}</code>
          </div>
        )}
      </td>
      <td>{key.since === null ? 'told, not taken yet' : <Moment at={key.since} {...view} />}</td>
      <td>
        {key.revoked_at !== null ? (
          <>
            revoked <Moment at={key.revoked_at} {...view} />
          </>
        ) : (
          key.until !== null && <Moment at={key.until} {...view} />
        )}
      </td>
      <td>
        {props.isSpokenTo && key.revoked_at === null && key.since !== null && (
          <Revoking view={view} peer={props.peer} of={key} />
        )}
      </td>
    </tr>
  )
}

/** What it comes to is said before. */
function Revoking(props: { view: ConsoleView; peer: PeerRow; of: PeerKeyFacts }) {
  const { side, fingerprint } = props.of
  const at = { form: `revoke-${fingerprint}`, refused: undefined }
  const action = `${peerKeysPath(encodeId('peer', props.peer.id))}/revoke`
  return (
    <Folded {...at} title="Revoke…">
      <p class="hint">
        {side === 'ours'
          ? 'Nothing is signed by it from now on. If it is the one that signs, another takes its place, and nothing goes over until people there have pinned that.'
          : 'What it signs is refused from now on. If they have no other one, nothing is taken until you have pinned their next one below.'}
      </p>
      <PostForm {...at} view={props.view} action={action} isInRow>
        <input type="hidden" name="fingerprint" value={fingerprint} />
        <button type="submit">
          Revoke<span class="visually-hidden"> {fingerprint}</span>
        </button>
      </PostForm>
    </Folded>
  )
}

function Refused({ view, rows }: { view: ConsoleView; rows: readonly PeerRefusalFacts[] }) {
  if (rows.length === 0) return <Empty>None.</Empty>
  return (
    <Table caption="Refused, by cause and day" head={['Cause', 'Day', { number: 'How many' }, 'Last']}>
      {rows.map((row) => (
        <tr>
          <th scope="row">
            {row.code}
            <div class="hint">{row.detail}</div>
          </th>
          <td>{row.day}</td>
          <td class="number">{row.count}</td>
          <td>
            <Moment at={row.last_at} {...view} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

function PinForm(props: { view: ConsoleView; peer: PeerRow; refused: RefusedInput | undefined }) {
  const at = { form: pinForm, refused: props.refused }
  return (
    <PostForm {...at} view={props.view} action={`${peerKeysPath(encodeId('peer', props.peer.id))}/pin`}>
      <TextField
        {...at}
        name="public_key"
        label="Public key"
        hint="As it is shown over there. Compare its fingerprint with a person there first: whoever has that key speaks as the peer."
        isRequired
      />
      <div class="buttons">
        <button type="submit">Pin</button>
      </div>
    </PostForm>
  )
}
