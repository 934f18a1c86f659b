import { sql } from 'kysely'
import type { Db } from '#db/database.ts'

/** What an installation has billed whom, without what is drawn anew in each: ids and hashes. */
export async function listBilledDocuments(db: Db): Promise<string[]> {
  const { rows } = await sql<{ document: string }>`
    select concat_ws(' ', number, kind, code, issued_on, due_on, net_minor, tax_minor, total_minor, lines.text) as document
    from invoices join customers on customers.id = customer_id
    join lateral (select string_agg(concat_ws(' ', description, quantity, unit_price, amount_minor), '; ' order by position) as text
      from invoice_lines where invoice_id = invoices.id) lines on true
    where number is not null order by series, sequence`.execute(db)
  return rows.map(({ document }) => document)
}
