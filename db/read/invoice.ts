import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function invoices(db: Db) {
  return db
    .selectFrom('invoices as invoice')
    .innerJoin('customers as customer', 'customer.id', 'invoice.customer_id')
    .leftJoin('test_clocks as clock', 'clock.id', 'invoice.test_clock_id')
    .leftJoin('invoices as corrected', 'corrected.id', 'invoice.corrects_id')
    .selectAll('invoice')
    .select([
      'customer.code as customer_code',
      'customer.name as customer_name',
      'clock.name as test_clock_name',
      'corrected.number as corrected_number',
    ])
}

export type InvoiceRow = Awaited<ReturnType<typeof listInvoices>>[number]

export async function listInvoices(
  db: Db,
  page: PageRequest & { customerId: string | null; subscriptionId: string | null; documentId: string | null },
) {
  let query = onPage(invoices(db), page, 'invoice.id')
  if (page.customerId !== null) query = query.where('invoice.customer_id', '=', page.customerId)
  if (page.documentId !== null) query = query.where('invoice.document_id', '=', page.documentId)
  const { subscriptionId } = page
  if (subscriptionId !== null) {
    query = query.where('invoice.id', 'in', (line) =>
      line.selectFrom('invoice_lines').select('invoice_id').where('subscription_id', '=', subscriptionId),
    )
  }
  return await query.execute()
}

export async function findInvoice(db: Db, id: string): Promise<InvoiceRow | undefined> {
  return await invoices(db).where('invoice.id', '=', id).executeTakeFirst()
}

export async function getInvoice(db: Db, id: string): Promise<InvoiceRow> {
  return await invoices(db).where('invoice.id', '=', id).executeTakeFirstOrThrow()
}

export async function listInvoiceLines(db: Db, invoiceId: string) {
  return await db
    .selectFrom('invoice_lines as line')
    .leftJoin('products as product', 'product.id', 'line.product_id')
    .leftJoin('subscriptions as subscription', 'subscription.id', 'line.subscription_id')
    .leftJoin('instances as instance', 'instance.id', 'line.instance_id')
    .leftJoin('usage_windows as window', 'window.id', 'line.usage_window_id')
    .selectAll('line')
    .select([
      'product.code as product_code',
      'subscription.title as subscription_title',
      'instance.name as instance_name',
      'window.reading_count',
      'window.event_count',
      sql<string | null>`lower(line.service_period)`.as('starts_on'),
      sql<string | null>`upper(line.service_period)`.as('ends_on'),
    ])
    .where('line.invoice_id', '=', invoiceId)
    .orderBy('line.position')
    .execute()
}
export type InvoiceLineRow = Awaited<ReturnType<typeof listInvoiceLines>>[number]

export async function listInvoiceTaxes(db: Db, invoiceId: string) {
  return await db
    .selectFrom('invoice_taxes')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .orderBy('position')
    .execute()
}
export type InvoiceTaxRow = Awaited<ReturnType<typeof listInvoiceTaxes>>[number]

/** What the customer's balance paid of an invoice when it was finalized, in minor units. */
export async function readBalanceUsed(db: Db, invoiceId: string): Promise<number> {
  const { used_minor: usedMinor } = await db
    .selectFrom('allocations')
    .select(sql<number>`coalesce(sum(amount_minor), 0)::bigint`.as('used_minor'))
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', 'balance')
    .executeTakeFirstOrThrow()
  return usedMinor
}
