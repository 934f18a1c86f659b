import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'

/**
 * An invoice that something is about to take from, held until the caller's transaction ends: credits, payments and marks
 * come one after the other. Rows that only name it need not wait.
 * @throws `not_found`, `not_an_invoice` for a credit note, `not_finalized` for a draft
 */
export async function lockFinalizedInvoice(tx: Tx, invoiceId: string) {
  const row = await tx
    .selectFrom('invoices')
    .select([
      'id',
      'kind',
      'number',
      'customer_id',
      'document_id',
      'served_customer_id',
      'subscription_id',
      'test_clock_id',
    ])
    .select(['currency', 'total_minor', 'are_prices_inclusive', 'tax_rounding', 'purchase_order_reference'])
    .select(['billing_key', 'revision', 'issued_on', 'corrects_id'])
    .where('id', '=', invoiceId)
    .where('skipped_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such invoice.')
  const { kind, number } = row
  if (number === null) {
    throw new BusinessError(
      'not_finalized',
      'The invoice is a draft: it can be changed, and has no number yet.',
    )
  }
  if (kind !== 'invoice') {
    throw new BusinessError('not_an_invoice', `${number} is a credit note: it is neither paid nor credited.`)
  }
  return { ...row, number }
}
export type LockedInvoice = Awaited<ReturnType<typeof lockFinalizedInvoice>>
