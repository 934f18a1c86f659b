import { sql } from 'kysely'
import type { BillingInterval } from '#domain/calendar.ts'
import type { Terms } from '#domain/terms.ts'
import { ensureDocument } from './activation.ts'
import type { Tx } from './database.ts'
import type { Subscription } from './subscription.ts'

/**
 * A document of which nothing went on is closed; where billing ended before service, its lines may come back to it. It goes
 * on where it stood, so that no day is lost, unless another was opened in its place meanwhile: then they join that one.
 */
export async function reopenDocuments(tx: Tx, subscription: Subscription): Promise<void> {
  const lines = await listLinesOnClosed(tx, subscription.id)
  const closedIds = lines.map(({ document_id }) => document_id)
  await sql`
    update subscription_documents document set closed_at = null
    where id = any(${closedIds}::uuid[]) and not exists (
      select from subscription_documents other
      where other.closed_at is null and other.customer_id = document.customer_id
        and other.interval_count = document.interval_count and other.interval_unit = document.interval_unit
        and other.currency = document.currency and other.test_clock_id is not distinct from document.test_clock_id
        and other.purchase_order_reference is not distinct from document.purchase_order_reference
        and other.own_anchor_on is not distinct from document.own_anchor_on)`.execute(tx)
  for (const line of await listLinesOnClosed(tx, subscription.id)) {
    const documentId = await ensureDocument(tx, subscription, line, line.opens_on)
    await tx
      .updateTable('subscription_lines')
      .set({ document_id: documentId })
      .where('id', '=', line.id)
      .execute()
  }
}

/**
 * A document that was opened for a line to come is closed when that line never comes, and nothing else lies on it: no bill
 * would ever find it, and what joins later would be counted from a day that means nothing any more.
 */
export async function closeUnused(tx: Tx, documentId: string): Promise<void> {
  await sql`
    update subscription_documents document
    set closed_at = coalesce((select now_at from test_clocks where id = document.test_clock_id), now())
    where id = ${documentId} and closed_at is null and finalize_on is null
      and not exists (select from billing_periods where document_id = document.id)
      and not exists (select from subscription_lines line where line.document_id = document.id
        and (line.ends_on is null or line.starts_on is null or line.ends_on > line.starts_on))`.execute(tx)
}

/** Lines that go on beyond what their closed document has billed. */
async function listLinesOnClosed(tx: Tx, subscriptionId: string) {
  const { rows } = await sql<{
    id: string
    document_id: string
    interval_count: number
    interval_unit: BillingInterval['unit']
    terms: Partial<Terms>
    opens_on: string
  }>`
    select line.id, line.document_id, line.interval_count, line.interval_unit, line.terms,
      coalesce(document.own_anchor_on, document.next_invoice_on) as opens_on
    from subscription_lines line join subscription_documents document on document.id = line.document_id
    where line.subscription_id = ${subscriptionId} and line.interval_unit is not null and document.closed_at is not null
      and (line.ends_on is null or line.ends_on > document.next_invoice_on)
    order by line.id`.execute(tx)
  return rows
}
