import { decodeId } from '#domain/identifier.ts'
import type { SupplierStanding } from '#domain/supplier-standing.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'

/**
 * Keeps how a supplier says that a document stands, in place of what it said before: messages come in order. Of a document that is
 * not here it is kept, too. A document that came from the supplier as a peer before, that peer's row is of.
 */
export async function receiveSupplierStanding(
  tx: Tx,
  { peerId, standing, now }: { peerId: string; standing: SupplierStanding; now: string },
): Promise<void> {
  const said = {
    state: standing.state,
    paid_minor: standing.paid_minor,
    credited_minor: standing.credited_minor,
    open_minor: standing.open_minor,
    stands_since: standing.since,
    received_at: now,
  }
  const documentId = decodeId('invoice', standing.document)
  const invoice = await tx
    .selectFrom('supplier_invoices')
    .select(['id', 'number', 'peer_id'])
    .where('supplier_id', 'in', (eb) =>
      eb.selectFrom('suppliers').select('suppliers.id').where('suppliers.peer_id', '=', peerId),
    )
    .where('document_id', '=', documentId)
    .executeTakeFirst()
  await tx
    .insertInto('supplier_standings')
    .values({ peer_id: invoice?.peer_id ?? peerId, document_id: documentId, ...said })
    .onConflict((conflict) => conflict.columns(['peer_id', 'document_id']).doUpdateSet(said))
    .execute()
  if (invoice !== undefined)
    await insertEvent(tx, {
      kind: 'supplier_invoice.standing_told',
      data: { number: invoice.number, supplierInvoice: invoice.id, state: standing.state },
    })
}
