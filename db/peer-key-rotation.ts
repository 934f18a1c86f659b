import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { makeOwnKey } from './peer-key.ts'
import { findNextKey, holdNextKey, takeNextKey } from './peer-next-key.ts'
import type { By } from './peer.ts'
import { queuePeerMessages } from './peer-queue.ts'
import type { InstallationKey } from './sealing.ts'

/**
 * Makes our next key for a peer, and lays the message that tells it behind all that waits; that one is signed by the key before. Once
 * the other side has taken it, the next key signs.
 * @throws `action_not_allowed` of a peer that is not spoken to, or while the last next key is not taken yet
 */
export async function rotateKey(tx: Tx, key: InstallationKey | null, peerId: string, by: By): Promise<void> {
  const peer = await lockSpokenTo(tx, peerId)
  if ((await findNextKey(tx, peerId)) !== undefined)
    throw new BusinessError('action_not_allowed', 'The other side has not taken our last key yet.')
  const { id, publicKey } = await makeOwnKey(tx, key, { peerId, now: by.now, isNext: true })
  await insertEvent(tx, {
    kind: 'peer.key_made',
    data: { peer: peer.name, fingerprint: id, actor: by.actor },
  })
  const content = { public_key: publicKey.toString('base64url') }
  await queuePeerMessages(tx, peerId, [{ kind: 'key', subjectId: null, content }])
}

/** @throws `action_not_allowed` of a peer that is not spoken to, and of a key that is known already */
export async function pinKeyByHand(tx: Tx, peerId: string, publicKey: Buffer, by: By): Promise<void> {
  await lockSpokenTo(tx, peerId)
  const outcome = await takeNextKey(tx, { peerId, publicKey, ...by })
  if (outcome === 'stored') return
  throw new BusinessError(
    'action_not_allowed',
    'This key is known here already. A revoked one stays revoked: have another one made over there.',
  )
}

/**
 * From now on no message by this key is taken, or, where it is ours, none is signed by it. Of ours another one signs from now on, which
 * the other side does not know until a person pins it there: what is signed by a key that somebody else may have is not to tell the next.
 * @throws `not_found`, `action_not_allowed`
 */
export async function revokeKey(
  tx: Tx,
  key: InstallationKey | null,
  of: { peerId: string; fingerprint: string },
  by: By,
): Promise<void> {
  const { peerId, fingerprint } = of
  const peer = await lockSpokenTo(tx, peerId)
  const row = await tx
    .selectFrom('peer_keys')
    .select(['is_own', 'holds_from', 'expires_at', 'revoked_at'])
    .where('peer_id', '=', peerId)
    .where('id', '=', fingerprint)
    .executeTakeFirst()
  if (row === undefined)
    throw new BusinessError('not_found', 'This peer has no key with that fingerprint: give all of it.')
  if (row.revoked_at !== null)
    throw new BusinessError('action_not_allowed', `This key was revoked at ${row.revoked_at}.`)
  if (row.holds_from === null)
    throw new BusinessError(
      'action_not_allowed',
      'This key signs nothing before the other side has taken it. Revoke it then, or close the peer.',
    )
  await tx.updateTable('peer_keys').set({ revoked_at: by.now }).where('id', '=', fingerprint).execute()
  await insertEvent(tx, { kind: 'peer.key_revoked', data: { peer: peer.name, fingerprint, actor: by.actor } })
  const isSigning = row.is_own && row.expires_at === null
  if (!isSigning) return
  if ((await findNextKey(tx, peerId)) === undefined) await makeOwnKey(tx, key, { peerId, now: by.now })
  else await holdNextKey(tx, { peerId, now: by.now })
}

async function lockSpokenTo(tx: Tx, peerId: string): Promise<{ name: string | null }> {
  const peer = await tx
    .selectFrom('peers')
    .select(['name', 'state'])
    .where('id', '=', peerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  if (peer.state !== 'active' && peer.state !== 'halted')
    throw new BusinessError('action_not_allowed', `This peer is ${peer.state}: it has no keys to change.`)
  return peer
}
