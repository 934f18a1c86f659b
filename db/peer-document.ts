import type { Tx } from './database.ts'
import { queuePeerMessages } from './peer-queue.ts'

/**
 * Lays finalized documents where they wait to be sent, in the transaction that finalizes them. Only of customers that are
 * installations themselves; what lives on a test clock is nobody's invoice.
 */
export async function queuePeerDocuments(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  const found = await tx
    .selectFrom('invoices')
    .innerJoin('peers', 'peers.customer_id', 'invoices.customer_id')
    .select(['invoices.id', 'peers.id as peer_id'])
    .where('invoices.id', 'in', invoiceIds)
    .where('invoices.test_clock_id', 'is', null)
    .where('peers.state', 'in', ['active', 'halted'])
    .where('peers.role', '=', 'customer')
    .execute()
  const peerIds = [...new Set(found.map((row) => row.peer_id))].toSorted()
  for (const peerId of peerIds) {
    const ids = new Set(found.filter((row) => row.peer_id === peerId).map(({ id }) => id))
    // In the order of their numbers, which is the one they came in.
    const ordered = invoiceIds.filter((id) => ids.has(id))
    await queuePeerMessages(
      tx,
      peerId,
      ordered.map((id) => ({ kind: 'document', subjectId: id, content: null })),
    )
  }
}
