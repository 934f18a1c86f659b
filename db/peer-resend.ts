import { peerSignals } from '#domain/peer-message.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { signalPeer } from './peer-signal.ts'

/**
 * Sends again what the other side had taken and has no longer: it was restored from an older backup. Everything behind the last that it
 * has waits again, in its order and with its hash; what is there all the same is known there by that. Where nothing is lacking, nothing
 * is changed.
 * @param of.taken the last number of ours that it says it has
 */
export async function sendAgain(tx: Tx, of: { peerId: string; taken: number; now: string }): Promise<void> {
  const peer = await tx
    .selectFrom('peers')
    .select(['name', 'sent_sequence', 'is_awake'])
    .where('id', '=', of.peerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  if (of.taken >= peer.sent_sequence) return
  const { numUpdatedRows: messages } = await tx
    .updateTable('peer_messages')
    .set({ delivered_at: null })
    .where('peer_id', '=', of.peerId)
    .where('sequence', '>', of.taken)
    .where('delivered_at', 'is not', null)
    .executeTakeFirst()
  await tx
    .updateTable('peers')
    .set({ sent_sequence: of.taken, is_awake: true })
    .where('id', '=', of.peerId)
    .execute()
  await insertEvent(tx, {
    kind: 'peer.sent_again',
    data: { peer: peer.name, after: of.taken, messages: Number(messages) },
  })
  if (!peer.is_awake) await signalPeer(tx, of.peerId, peerSignals.messagesWait, `again/${of.now}`)
}
