import { sql } from 'kysely'
import type { PeerMessageKind } from '#domain/peer-message.ts'
import type { Db, Tx } from './database.ts'

/**
 * The number of the last message taken from a peer, 0 before the first. Its messages are taken one after the other: the peer is
 * locked to the end of the transaction.
 */
export async function lockReceived(tx: Tx, peerId: string): Promise<number> {
  await tx
    .selectFrom('peers')
    .select('id')
    .where('id', '=', peerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  return await readLastReceived(tx, peerId)
}

/** The same, of who waits for nobody. */
export async function readLastReceived(db: Db, peerId: string): Promise<number> {
  const { last } = await db
    .selectFrom('received_peer_messages')
    .select((eb) => eb.fn.max('sequence').as('last'))
    .where('peer_id', '=', peerId)
    .executeTakeFirstOrThrow()
  return last ?? 0
}

/** The same with the hash of that message, by which who sent it knows it. */
export async function lockNewestReceived(
  tx: Tx,
  peerId: string,
): Promise<{ readonly sequence: number; readonly sha256: Buffer | null }> {
  const sequence = await lockReceived(tx, peerId)
  const hashes = await findReceived(tx, peerId, [sequence])
  return { sequence, sha256: hashes.get(sequence) ?? null }
}

/** The hashes of those that came before, by their numbers over there. */
export async function findReceived(
  tx: Tx,
  peerId: string,
  sequences: readonly number[],
): Promise<ReadonlyMap<number, Buffer>> {
  if (sequences.length === 0) return new Map()
  const rows = await tx
    .selectFrom('received_peer_messages')
    .select(['sequence', 'sha256'])
    .where('peer_id', '=', peerId)
    .where(sql<boolean>`sequence = any(${sequences})`)
    .execute()
  return new Map(rows.map(({ sequence, sha256 }) => [sequence, sha256]))
}

/** What was taken is known from now on, for ever. */
export async function noteReceived(
  tx: Tx,
  peerId: string,
  messages: readonly { readonly sequence: number; readonly kind: PeerMessageKind; readonly sha256: Buffer }[],
  now: string,
): Promise<void> {
  if (messages.length === 0) return
  const rows = messages.map(({ sequence, kind, sha256 }) => ({
    sequence,
    kind,
    hash: sha256.toString('hex'),
  }))
  await sql`
    insert into received_peer_messages (peer_id, sequence, kind, sha256, received_at)
    select ${peerId}, sequence, kind, decode(hash, 'hex'), ${now}
    from json_to_recordset(${JSON.stringify(rows)}::json) as message (sequence bigint, kind text, hash text)`.execute(
    tx,
  )
}
