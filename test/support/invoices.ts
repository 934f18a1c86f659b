import { sql } from 'kysely'
import type { Db } from '#db/database.ts'

/** Every finalized document, oldest first: `INV-00001 2026-01-31 1000`. */
export async function listInvoices(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('invoices')
    .select(['number', 'issued_on', 'total_minor'])
    .where('finalized_at', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.map((row) => `${row.number} ${row.issued_on} ${row.total_minor}`)
}

/** The lines of one document in order: `recurring 2026-01-31/2026-02-28 1 × 10 = 1000`. */
export async function listInvoiceLines(db: Db, number: string): Promise<string[]> {
  const rows = await db
    .selectFrom('invoice_lines')
    .innerJoin('invoices', 'invoices.id', 'invoice_lines.invoice_id')
    .select(['invoice_lines.kind', 'quantity', 'unit_price', 'amount_minor'])
    .select(sql<string | null>`lower(service_period)`.as('start'))
    .select(sql<string | null>`upper(service_period)`.as('end'))
    .where('number', '=', number)
    .orderBy('position')
    .execute()
  return rows.map((row) =>
    [
      row.kind,
      ...(row.start ? [`${row.start}/${row.end}`] : []),
      `${row.quantity} × ${row.unit_price} = ${row.amount_minor}`,
    ].join(' '),
  )
}

/** The documents of a subscription's lines, oldest first. */
export async function listDocumentIds(db: Db, subscriptionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('subscription_lines')
    .select('document_id')
    .distinct()
    .where('subscription_id', '=', subscriptionId)
    .where('document_id', 'is not', null)
    .orderBy('document_id')
    .execute()
  return rows.flatMap((row) => row.document_id ?? [])
}
