import { sql } from 'kysely'
import type { InvoiceMoney } from '#domain/invoice/balance.ts'
import type { Instalment } from '#domain/payment-terms.ts'
import type { Db } from './database.ts'

/** What was set against an invoice so far, and what it was marked as. */
export async function readInvoiceMoney(db: Db, invoiceId: string): Promise<InvoiceMoney> {
  const { rows } = await sql<{
    total_minor: number
    due_on: string
    instalments: readonly Instalment[] | null
    credited_minor: number
    paid_minor: number
    is_void: boolean
    is_uncollectible: boolean
  }>`
    select invoice.total_minor, invoice.due_on, invoice.instalments, ${creditedMinor} as credited_minor, ${paidMinor} as paid_minor,
      ${isMarked('void')} as is_void, ${isMarked('uncollectible')} as is_uncollectible
    from invoices invoice where invoice.id = ${invoiceId}`.execute(db)
  const [row] = rows
  if (!row) throw new Error(`there is no invoice ${invoiceId}`)
  return {
    totalMinor: row.total_minor,
    dueOn: row.due_on,
    instalments: row.instalments,
    creditNotesMinor: row.credited_minor,
    paidMinor: row.paid_minor,
    isVoid: row.is_void,
    isUncollectible: row.is_uncollectible,
  }
}

/** Of credit notes, as far as they paid what was open. For a query over `invoices as invoice`, as are those below. */
export const creditedMinor = sql<number>`(select coalesce(sum(amount_minor), 0)::bigint from allocations
  where allocations.invoice_id = invoice.id and allocations.kind = 'credit_note')`

/** Of payments, and of what the customer was owed. */
export const paidMinor = sql<number>`(select coalesce(sum(amount_minor), 0)::bigint from allocations
  where allocations.invoice_id = invoice.id and allocations.kind <> 'credit_note')`

export function isMarked(kind: 'void' | 'uncollectible') {
  return sql<boolean>`exists (select from invoice_marks mark
    where mark.invoice_id = invoice.id and mark.kind = ${kind} and mark.ended_at is null)`
}
