import { passOverPeriods } from '#domain/billing-cycle.ts'
import type { Tx } from './database.ts'
import { lockDocumentBetweenPeriods } from './document.ts'
import { insertEvent } from './event.ts'

/**
 * Moves a document's next invoice to a later first day of a period (C-13). The periods before it have no invoice of their
 * own: that invoice bills their days, cycle by cycle, and the document goes on from there. Asked again, nothing changes.
 * @throws `not_found`, `action_not_allowed` for a closed document or a draft, and what `passOverPeriods` refuses
 */
export async function forceNextInvoice(
  tx: Tx,
  documentId: string,
  forced: { nextInvoiceOn: string; actor: string },
): Promise<void> {
  const document = await lockDocumentBetweenPeriods(tx, documentId)
  const { next_period_index: nextPeriodIndex, next_invoice_on: from } = document
  if (from === forced.nextInvoiceOn) return
  const anchor = document.billing_cycle_anchor
  const interval = { count: document.interval_count, unit: document.interval_unit }
  const passed = passOverPeriods(
    { anchor, interval, nextPeriodIndex, nextInvoiceOn: from },
    forced.nextInvoiceOn,
  )
  await tx
    .insertInto('billing_periods')
    .values(
      passed.map(({ start, end }, index) => ({
        document_id: documentId,
        period_index: nextPeriodIndex + index,
        period: `[${start},${end})`,
        invoice_id: null,
      })),
    )
    .execute()
  await tx
    .updateTable('subscription_documents')
    .set({
      next_period_index: nextPeriodIndex + passed.length,
      next_invoice_on: forced.nextInvoiceOn,
    })
    .where('id', '=', documentId)
    .execute()
  await insertEvent(tx, {
    kind: 'document.forced',
    customerId: document.customer_id,
    data: { from, next_invoice_on: forced.nextInvoiceOn, actor: forced.actor },
  })
}
