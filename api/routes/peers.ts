import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { insertWorkflowSignal } from '#db/outbox.ts'
import { closePeer, readPeerStanding, resumePeer, type By } from '#db/peer.ts'
import { pinKeyByHand, revokeKey, rotateKey } from '#db/peer-key-rotation.ts'
import { getPeer, listPeers } from '#db/read/peer.ts'
import { unreachable } from '#domain/assert.ts'
import { encodeId } from '#domain/identifier.ts'
import { peerSignals } from '#domain/peer-message.ts'
import { workflowIds } from '#workflows/contract.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { peerSchema, pinnedKeySchema, revokedKeySchema, toPeerJson } from '../schemas/peer.ts'
import { nothingSchema } from '../schemas/subscription.ts'

/** Other installations that bill this one, or that it bills. */
export function registerPeers(frame: Frame): void {
  registerReading(frame)
  registerCommands(frame)
  registerKeyCommands(frame)
}

function registerReading(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/peers',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'List peers, with what waits for each',
      query: z.strictObject(pageQuery),
      result: pageOf(peerSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listPeers(db, page), page, toPeerJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/peers/{id}',
      permission: 'peers:read',
      tag: 'Peers',
      summary: 'Read a peer',
      params: idParams,
      result: peerSchema,
    },
    async ({ db, params }) => toPeerJson(await getPeer(db, await resolveAddress(db, 'peer', params.id))),
  )
}

/** What a person decides of a peer, and how its workflow is told. */
const commands = {
  resume: {
    act: resumePeer,
    signal: peerSignals.resumed,
    described: { summary: 'Go on with a halted peer, once what halted it is settled' },
  },
  close: {
    act: closePeer,
    signal: peerSignals.closed,
    described: {
      summary: 'End the trust with a peer: nothing is sent or taken any more',
      description: 'What was received stays. What waits is not sent.',
    },
  },
} as const

export type PeerCommand = keyof typeof commands

function registerCommands(frame: Frame): void {
  for (const command of ['resume', 'close'] as const)
    frame.route(
      {
        method: 'post',
        path: `/v1/peers/{id}/${command}`,
        permission: 'peers:write',
        tag: 'Peers',
        ...commands[command].described,
        params: idParams,
        result: peerSchema,
        refusals: ['action_not_allowed'],
      },
      async ({ transaction, params, principal, now }) => {
        const tx = transaction()
        const id = await commandPeer(tx, params.id, command, { actor: principal.name, now })
        return toPeerJson(await getPeer(tx, id))
      },
    )
}

/** What a person does about the keys of a peer. */
const keyCommands = {
  'rotate-key': {
    summary: 'Make our next key for a peer',
    description:
      'It is told by a message that the key before it signs. Once that was taken the next one signs; the one before is understood for 24 hours.',
  },
  'revoke-key': {
    summary: 'Revoke a key at once, ours or theirs',
    description:
      'No message by it is taken any more, from the next one on. In place of ours another one signs, which the other side does not know until a person pins it there.',
  },
  'pin-key': {
    summary: 'Pin a key of the other side, as a person has it from there',
    description:
      'Compare the fingerprint with a person over there first: whoever has that key speaks as the peer.',
  },
} as const

export type PeerKeyCommand =
  | { readonly command: 'rotate-key' }
  | { readonly command: 'revoke-key'; readonly fingerprint: string }
  | { readonly command: 'pin-key'; readonly publicKey: string }

function registerKeyCommands(frame: Frame): void {
  const post = <Body extends z.ZodType>(
    command: keyof typeof keyCommands,
    body: Body,
    ask: (said: z.output<Body>) => PeerKeyCommand,
  ) =>
    frame.route(
      {
        method: 'post',
        path: `/v1/peers/{id}/${command}`,
        permission: 'peers:write',
        tag: 'Peers',
        ...keyCommands[command],
        params: idParams,
        body,
        result: peerSchema,
        refusals: ['action_not_allowed'],
      },
      async ({ transaction, params, body: said, principal, now }) => {
        const tx = transaction()
        const id = await changeKeys(frame, tx, params.id, ask(said), { actor: principal.name, now })
        return toPeerJson(await getPeer(tx, id))
      },
    )
  post('rotate-key', nothingSchema, () => ({ command: 'rotate-key' }))
  post('revoke-key', revokedKeySchema, ({ fingerprint }) => ({ command: 'revoke-key', fingerprint }))
  post('pin-key', pinnedKeySchema, ({ public_key: publicKey }) => ({ command: 'pin-key', publicKey }))
}

/** @throws `not_found`, `action_not_allowed` */
export async function changeKeys(
  { deps: { installationKey } }: Frame,
  tx: Tx,
  address: string,
  asked: PeerKeyCommand,
  by: By,
): Promise<string> {
  const peerId = await resolveAddress(tx, 'peer', address)
  switch (asked.command) {
    case 'rotate-key':
      await rotateKey(tx, installationKey, peerId, by)
      break
    case 'revoke-key':
      await revokeKey(tx, installationKey, { peerId, fingerprint: asked.fingerprint }, by)
      break
    case 'pin-key':
      await pinKeyByHand(tx, peerId, Buffer.from(asked.publicKey, 'base64url'), by)
      break
    default:
      unreachable(asked)
  }
  return peerId
}

/** @throws `not_found`, `action_not_allowed` */
export async function commandPeer(tx: Tx, address: string, command: PeerCommand, by: By): Promise<string> {
  const id = await resolveAddress(tx, 'peer', address)
  const { act, signal } = commands[command]
  await act(tx, id, by)
  // Of a peer that nobody has accepted there is no workflow to be told.
  if ((await readPeerStanding(tx, id)).otherPeerId !== null)
    await insertWorkflowSignal(tx, { workflowId: workflowIds.peer(encodeId('peer', id)), signal }, by.now)
  return id
}
