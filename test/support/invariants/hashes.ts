import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { contentOf, type ContentInvoice, type ContentLine, type ContentTax } from '#db/invoice-content.ts'
import { chain } from '#db/number-series.ts'

type Chained = ContentInvoice & {
  readonly id: string
  readonly hash: string | null
  readonly previous: string | null
}
type Of<Row> = Row & { readonly invoice_id: string }

/** Documents whose hash is not that of what stands in the database: somebody changed them by force. */
export async function findBrokenHashes(db: Db): Promise<string[]> {
  const invoices = await sql<Chained>`
    select invoices.*, encode(hash, 'hex') as hash, encode(previous_hash, 'hex') as previous from invoices
    where finalized_at is not null order by series, sequence`.execute(db)
  const lines = await sql<Of<ContentLine>>`select * from invoice_lines order by invoice_id, position`.execute(
    db,
  )
  const taxes = await sql<Of<ContentTax>>`select * from invoice_taxes order by invoice_id, position`.execute(
    db,
  )
  const linesOf = Map.groupBy(lines.rows, (line) => line.invoice_id)
  const taxesOf = Map.groupBy(taxes.rows, (tax) => tax.invoice_id)
  return invoices.rows.flatMap((invoice) => {
    const content = contentOf(invoice, linesOf.get(invoice.id) ?? [], taxesOf.get(invoice.id) ?? [])
    return chain(invoice.previous, content) === invoice.hash ? [] : [invoice.number]
  })
}
