import { trustedPeerStates } from '#domain/peer.ts'
import type { Tx } from './database.ts'
import { queuePeerMessages } from './peer-queue.ts'
import { queuePeerStandings } from './peer-standing.ts'

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
    .where('peers.state', 'in', trustedPeerStates)
    .where('peers.role', '=', 'customer')
    .execute()
  const peerIds = [...new Set(found.map((row) => row.peer_id))].toSorted()
  for (const peerId of peerIds) {
    const ids = new Set(found.filter((row) => row.peer_id === peerId).map(({ id }) => id))
    const earlier = await findUnsentCorrected(tx, peerId, [...ids])
    // In the order of their numbers, which is the one they came in.
    const ordered = [...earlier, ...invoiceIds.filter((id) => ids.has(id))]
    await queuePeerMessages(
      tx,
      peerId,
      ordered.map((id) => ({ kind: 'document', subjectId: id, content: null })),
    )
    // Long since paid, perhaps.
    await queuePeerStandings(tx, earlier)
  }
}

/**
 * Invoices from before the trust that are corrected now: without them a credit note would wait over there for ever. What that
 * installation has taken as a peer that was closed since, it has.
 */
async function findUnsentCorrected(tx: Tx, peerId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await tx
    .selectFrom('invoices as note')
    .innerJoin('invoices as corrected', 'corrected.id', 'note.corrects_id')
    .select(['corrected.id', 'corrected.finalized_at'])
    .distinct()
    .where('note.id', 'in', ids)
    .whereRef('corrected.customer_id', '=', 'note.customer_id')
    .where('corrected.id', 'not in', ids)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('peer_messages as sent')
            .innerJoin('peers as former', 'former.id', 'sent.peer_id')
            .innerJoin('peers as present', (join) => join.on('present.id', '=', peerId))
            .select('sent.sequence')
            .where('sent.kind', '=', 'document')
            .whereRef('sent.subject_id', '=', 'corrected.id')
            .where((sent) =>
              sent.or([
                sent('sent.peer_id', '=', peerId),
                sent.and([
                  sent('sent.delivered_at', 'is not', null),
                  sent('former.installation_id', '=', sent.ref('present.installation_id')),
                ]),
              ]),
            ),
        ),
      ),
    )
    .orderBy('corrected.finalized_at')
    .execute()
  return rows.map(({ id }) => id)
}
