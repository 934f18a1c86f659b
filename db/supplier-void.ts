import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { lockPayables, setOffCorrections } from './payable.ts'
import { watchArrived } from './supplier-subscription.ts'

/**
 * Voids what was recorded by hand and misread. It stays as it was written and counts for nothing any more; its number can be recorded
 * anew. What was set off against it, or by it, is free again.
 * @throws `supplier_invoice_immutable` of what a peer sent, `supplier_invoice_void`, `supplier_invoice_paid`
 */
export async function voidSupplierInvoice(
  tx: Tx,
  of: { invoiceId: string; reason: string; actor: string; now: string },
): Promise<void> {
  const row = (await lockPayables(tx, [of.invoiceId])).get(of.invoiceId)
  if (row === undefined) throw new BusinessError('not_found', 'There is no such supplier invoice.')
  const { id, number, supplier_id: supplierId } = row
  if (row.peer_id !== null)
    throw new BusinessError(
      'supplier_invoice_immutable',
      `${number} was sent by the supplier: a wrong one is corrected by its credit note.`,
    )
  if (row.voided_at !== null)
    throw new BusinessError('supplier_invoice_void', `${number} was voided at ${row.voided_at}.`)
  if (row.paid_minor > 0)
    throw new BusinessError('supplier_invoice_paid', `${number} is paid, in full or in part.`)
  await tx
    .updateTable('supplier_invoices')
    .set({ voided_at: of.now, voided_by: of.actor, void_reason: of.reason })
    .where('id', '=', id)
    .execute()
  await insertEvent(tx, {
    kind: 'supplier_invoice.voided',
    data: { number, supplierInvoice: id, actor: of.actor, reason: of.reason },
  })
  await setOffAgain(tx, id, of.now)
  await watchArrived(tx, { supplierId, issuedOn: row.issued_on, now: of.now })
}

/** What a void credit was set off against is open again, for others that correct it. */
async function setOffAgain(tx: Tx, noteId: string, now: string): Promise<void> {
  const against = await tx
    .selectFrom('supplier_allocations')
    .select('supplier_invoice_id as id')
    .distinct()
    .where('credit_note_id', '=', noteId)
    .orderBy('supplier_invoice_id')
    .execute()
  await setOffCorrections(
    tx,
    against.map(({ id }) => id),
    now,
  )
}
