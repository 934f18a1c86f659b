import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { pinKeyByHand, revokeKey, rotateKey } from '#db/peer-key-rotation.ts'
import type { By } from '#db/peer.ts'
import { getPeer } from '#db/read/peer.ts'
import { unreachable } from '#domain/assert.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { peerSchema, pinnedKeySchema, revokedKeySchema, toPeerJson } from '../schemas/peer.ts'
import { nothingSchema } from '../schemas/subscription.ts'

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

export function registerPeerKeys(frame: Frame): void {
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
