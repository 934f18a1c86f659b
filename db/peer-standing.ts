import { sql } from 'kysely'
import { openMinor, standingOf } from '#domain/invoice/balance.ts'
import { encodeId } from '#domain/identifier.ts'
import { trustedPeerStates } from '#domain/peer.ts'
import type { SupplierStanding } from '#domain/supplier-standing.ts'
import { hashOf } from './content-hash.ts'
import type { Tx } from './database.ts'
import { readInvoiceMoney } from './invoice-money.ts'
import { queuePeerMessages } from './peer-queue.ts'

/**
 * Lays down for customers that are installations themselves how these invoices stand now, in the transaction that pays, credits or
 * marks them; of those whose document they are sent, and only where it is not what they were told last. What locks goes before.
 */
export async function queuePeerStandings(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  if (invoiceIds.length === 0) return
  const sent = await tx
    .selectFrom('peer_messages as message')
    .innerJoin('peers', 'peers.id', 'message.peer_id')
    .select(['message.peer_id', 'message.subject_id'])
    .where('message.subject_id', 'in', invoiceIds)
    .where('message.kind', '=', 'document')
    .where('peers.state', 'in', trustedPeerStates)
    .orderBy('message.peer_id')
    .orderBy('message.sequence')
    .execute()
  for (const { peer_id: peerId, subject_id: invoiceId } of sent)
    if (invoiceId !== null) await queueStanding(tx, peerId, invoiceId)
}

async function queueStanding(tx: Tx, peerId: string, invoiceId: string): Promise<void> {
  const content = await readStanding(tx, invoiceId)
  const told = await tx
    .selectFrom('peer_messages')
    .select('content')
    .where('peer_id', '=', peerId)
    .where('subject_id', '=', invoiceId)
    .where('kind', '=', 'standing')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (told !== undefined && hashOf(told.content).equals(hashOf(content))) return
  await queuePeerMessages(tx, peerId, [{ kind: 'standing', subjectId: invoiceId, content: { ...content } }])
}

/** As its rows say, which the caller's transaction has changed. */
async function readStanding(tx: Tx, invoiceId: string): Promise<SupplierStanding> {
  const money = await readInvoiceMoney(tx, invoiceId)
  const { rows } = await sql<{ since: string }>`
    select coalesce(greatest(
      (select max(allocated_at) from allocations where invoice_id = invoice.id),
      (select max(coalesce(ended_at, marked_at)) from invoice_marks where invoice_id = invoice.id)),
      invoice.finalized_at) as since
    from invoices invoice where invoice.id = ${invoiceId}`.execute(tx)
  return {
    document: encodeId('invoice', invoiceId),
    state: standingOf(money),
    paid_minor: money.paidMinor,
    credited_minor: money.creditNotesMinor,
    open_minor: openMinor(money),
    since: rows[0]?.since ?? '',
  }
}
