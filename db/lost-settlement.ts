import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { peerSignals } from '#domain/peer-message.ts'
import type { Tx } from './database.ts'
import { unsettledDocuments } from './lost-document.ts'
import { lockSeries } from './series-lock.ts'
import { signalPeer } from './peer-signal.ts'
import { resumePeer, type By } from './peer.ts'

export interface LostSettlement {
  /** `keep`: they are what the peer says, and their numbers are skipped. `dismiss`: they are none of ours. */
  readonly decision: 'keep' | 'dismiss'
  readonly reason: string
}

/**
 * Settles what a peer has of ours and we have not, and goes on with it, unless it was closed meanwhile: its numbers were given all the
 * same. Series are locked before the peer, as by who finalizes: two that
 * lock them in another order wait for each other for ever.
 * @throws `action_not_allowed` where nothing is lost, or more was found than the person has seen
 */
export async function settleLostDocuments(
  tx: Tx,
  peerId: string,
  { decision, reason }: LostSettlement,
  by: By,
): Promise<void> {
  const skipped = decision === 'keep' ? await lockLostSeries(tx, peerId) : new Set<string>()
  const { told_sequence: told, state } = await tx
    .selectFrom('peers')
    .select(['told_sequence', 'state'])
    .where('id', '=', peerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const lost = await unsettledDocuments(tx, peerId).select(['series', 'sequence']).execute()
  if (lost.length === 0 && (told === null || state === 'closed'))
    throw new BusinessError('action_not_allowed', 'This peer has nothing of ours that is not here.')
  if (decision === 'keep') {
    const series = Map.groupBy(lost, (row) => row.series)
    for (const [code, rows] of series) {
      if (code === null) continue
      // Waiting for its lock now would be in the wrong order.
      if (!skipped.has(code))
        throw new BusinessError(
          'action_not_allowed',
          'More was found just now. Look at it, and settle again.',
        )
      const last = Math.max(...rows.map(({ sequence }) => sequence ?? 0))
      await skipNumbers(tx, { code, last, reason }, by)
    }
  }
  await tx
    .updateTable('lost_documents')
    .set({
      settlement: decision === 'keep' ? 'kept' : 'dismissed',
      settled_at: by.now,
      settled_by: by.actor,
      reason,
    })
    .where('peer_id', '=', peerId)
    .where('settlement', 'is', null)
    .execute()
  if (state === 'closed') return
  if (told !== null) await countOnFrom(tx, peerId, told)
  await resumePeer(tx, peerId, by)
  await signalPeer(tx, peerId, peerSignals.resumed, by.now)
}

async function lockLostSeries(tx: Tx, peerId: string): Promise<ReadonlySet<string>> {
  const rows = await unsettledDocuments(tx, peerId).select('series').distinct().execute()
  const codes = rows.flatMap(({ series }) => series ?? [])
  await lockSeries(tx, codes)
  return new Set(codes)
}

async function skipNumbers(
  tx: Tx,
  { code, last, reason }: { code: string; last: number; reason: string },
  by: By,
): Promise<void> {
  const { next_number: first } = await tx
    .selectFrom('number_series')
    .select('next_number')
    .where('code', '=', code)
    .executeTakeFirstOrThrow()
  if (first > last) return
  await tx
    .insertInto('skipped_numbers')
    .values({ series: code, first, last, reason, skipped_at: by.now, skipped_by: by.actor })
    .execute()
  await tx
    .updateTable('number_series')
    .set({ next_number: last + 1 })
    .where('code', '=', code)
    .execute()
}

/** What waits gets numbers that the other side has not seen: under the others it knows messages that are lost here. */
async function countOnFrom(tx: Tx, peerId: string, told: number): Promise<void> {
  await sql`
    with waiting as (
      select sequence, row_number() over (order by sequence) as place from peer_messages
      where peer_id = ${peerId} and delivered_at is null
    ), begins as (select greatest(last_sequence, ${told}::bigint) as after from peers where id = ${peerId})
    update peer_messages set sequence = begins.after + waiting.place from waiting, begins
    where peer_messages.peer_id = ${peerId} and peer_messages.sequence = waiting.sequence`.execute(tx)
  await sql`
    update peers set sent_sequence = ${told}, told_sequence = null, last_sequence = greatest(last_sequence, ${told}::bigint,
      (select coalesce(max(sequence), 0) from peer_messages where peer_id = ${peerId}))
    where id = ${peerId}`.execute(tx)
}
