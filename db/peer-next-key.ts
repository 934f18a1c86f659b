import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { isKnownKey, isPinned, pinKey } from './peer-key.ts'

/** How long the old key is understood beside the new one. */
const overlapMs = 24 * 60 * 60_000

/** The other side has taken our next key: from now on it signs. The one before it is understood over there for a while. */
export async function holdNextKey(tx: Tx, { peerId, now }: { peerId: string; now: string }): Promise<void> {
  const next = await findNextKey(tx, peerId)
  // It was revoked meanwhile, or a person has pinned it over there.
  if (next === undefined) return
  await endOthers(tx, { peerId, isOwn: true, now })
  await tx.updateTable('peer_keys').set({ holds_from: now }).where('id', '=', next.id).execute()
}

/**
 * The other side's next key, as its message tells, or as a person has it from a person over there. The ones before it are understood
 * for a while, but those that were revoked.
 * @returns whether it is pinned now; `exists`: it was before; `foreign`: it is of somebody else, or our own
 */
export async function takeNextKey(
  tx: Tx,
  { peerId, publicKey, now, actor }: { peerId: string; publicKey: Buffer; now: string; actor: string | null },
): Promise<'stored' | 'exists' | 'foreign'> {
  if (await isPinned(tx, peerId, publicKey)) return 'exists'
  if (await isKnownKey(tx, publicKey)) return 'foreign'
  await endOthers(tx, { peerId, isOwn: false, now })
  const fingerprint = await pinKey(tx, { peerId, publicKey, now })
  const peer = await tx.selectFrom('peers').select('name').where('id', '=', peerId).executeTakeFirstOrThrow()
  await insertEvent(tx, { kind: 'peer.key_pinned', data: { peer: peer.name, fingerprint, actor } })
  return 'stored'
}

/** What is of ours and neither taken nor revoked. */
export async function findNextKey(db: Db, peerId: string): Promise<{ id: string } | undefined> {
  return await db
    .selectFrom('peer_keys')
    .select('id')
    .where('peer_id', '=', peerId)
    .where('is_own', '=', true)
    .where('holds_from', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
}

async function endOthers(tx: Tx, of: { peerId: string; isOwn: boolean; now: string }): Promise<void> {
  await tx
    .updateTable('peer_keys')
    .set({ expires_at: new Date(Date.parse(of.now) + overlapMs).toISOString() })
    .where('peer_id', '=', of.peerId)
    .where('is_own', '=', of.isOwn)
    .where('holds_from', 'is not', null)
    .where('expires_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute()
}
