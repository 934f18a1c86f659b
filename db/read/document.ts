import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'
import { subscriptionLines } from './subscription.ts'

function documents(db: Db) {
  return db
    .selectFrom('subscription_documents as document')
    .innerJoin('customers as customer', 'customer.id', 'document.customer_id')
    .selectAll('document')
    .select(['customer.code as customer_code', 'customer.name as customer_name'])
    .select(
      sql<number>`(select count(*)::int from subscription_lines line
        where line.document_id = document.id and (line.ends_on is null or line.ends_on > document.next_invoice_on))`.as(
        'line_count',
      ),
    )
}

export type DocumentRow = Awaited<ReturnType<typeof listDocuments>>[number]

export async function listDocuments(db: Db, page: PageRequest & { customerId: string | null }) {
  const query = onPage(documents(db), page, 'document.id')
  return await (
    page.customerId === null ? query : query.where('document.customer_id', '=', page.customerId)
  ).execute()
}

export async function getDocument(db: Db, id: string): Promise<DocumentRow> {
  return await documents(db).where('document.id', '=', id).executeTakeFirstOrThrow()
}

export async function listDocumentLines(db: Db, documentId: string) {
  return await subscriptionLines(db)
    .where('line.document_id', '=', documentId)
    .orderBy('line.subscription_id')
    .orderBy('line.position')
    .orderBy('line.starts_on')
    .limit(1000)
    .execute()
}

/** The periods that were billed, newest first. */
export async function listBilledPeriods(db: Db, documentId: string) {
  return await db
    .selectFrom('billing_periods as billed')
    .leftJoin('invoices as invoice', (join) =>
      join.onRef('invoice.id', '=', 'billed.invoice_id').on('invoice.skipped_at', 'is', null),
    )
    .select(['billed.period_index', 'invoice.id as invoice_id', 'billed.billed_at', 'invoice.number'])
    .select([
      sql<string>`lower(billed.period)`.as('starts_on'),
      sql<string>`upper(billed.period)`.as('ends_on'),
    ])
    .where('billed.document_id', '=', documentId)
    .orderBy('billed.period_index', 'desc')
    .limit(100)
    .execute()
}
export type BilledPeriodRow = Awaited<ReturnType<typeof listBilledPeriods>>[number]
