import { sql } from 'kysely'
import { issueDay } from '#domain/billing-cycle.ts'
import type { BillingInterval } from '#domain/calendar.ts'
import type { CyclingDocument } from '#domain/change.ts'
import type { Db, Tx } from './database.ts'

export interface DocumentRow {
  readonly id: string
  readonly customer_id: string
  readonly interval_count: number
  readonly interval_unit: BillingInterval['unit']
  readonly currency: string
  readonly billing_cycle_anchor: string
  readonly former_anchor: string | null
  readonly anchor_moved_on: string | null
  readonly time_zone: string
  readonly test_clock_id: string | null
  readonly purchase_order_reference: string | null
  readonly next_period_index: number
  /** The first day of the next period. */
  readonly next_invoice_on: string
  /** Days before its periods that its invoices are made. */
  readonly advance_days: number
  /** While the next period's invoice is a draft. */
  readonly finalize_on: string | null
  readonly parked_reason: string | null
  readonly closed_at: string | null
}

/** The day on which the document has something to do: bill its next period, or finalize the draft of it. */
export function dueOn(document: IssuedDocument & Pick<DocumentRow, 'finalize_on'>): string {
  return document.finalize_on ?? issuedOn(document)
}

type IssuedDocument = Pick<DocumentRow, 'next_period_index' | 'next_invoice_on' | 'advance_days'>

/** The day on which the invoice of the next period is made; `subscription_documents.due_on` says the same. */
export function issuedOn(document: IssuedDocument): string {
  return issueDay({
    nextPeriodIndex: document.next_period_index,
    nextInvoiceOn: document.next_invoice_on,
    advanceDays: document.advance_days,
  })
}

/** How a document counts its periods. */
export function toCycling(
  document: Pick<
    DocumentRow,
    'billing_cycle_anchor' | 'former_anchor' | 'anchor_moved_on' | 'interval_count' | 'interval_unit'
  >,
): CyclingDocument {
  const { former_anchor: anchor, anchor_moved_on: until } = document
  return {
    billingCycleAnchor: document.billing_cycle_anchor,
    formerAnchor: anchor !== null && until !== null ? { anchor, until } : null,
    interval: { count: document.interval_count, unit: document.interval_unit },
  }
}

/** The documents on which the subscriptions' lines lie, oldest first. */
export async function listDocuments(db: Db, ...subscriptionIds: readonly string[]): Promise<DocumentRow[]> {
  return await documentsOf(db, subscriptionIds).execute()
}

/** The same, held for a bill or a change: always in id order, so that two never wait for each other. */
export async function lockDocuments(tx: Tx, ...subscriptionIds: readonly string[]): Promise<DocumentRow[]> {
  return await documentsOf(tx, subscriptionIds).forNoKeyUpdate().execute()
}

/** The documents on which the lines of an invoice lie by now, held like these. */
export async function lockDocumentsOf(tx: Tx, invoiceId: string): Promise<DocumentRow[]> {
  return await tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('invoice_lines')
          .innerJoin('subscription_lines', 'subscription_lines.id', 'invoice_lines.subscription_line_id')
          .select('subscription_lines.id')
          .whereRef('subscription_lines.document_id', '=', 'subscription_documents.id')
          .where('invoice_lines.invoice_id', '=', invoiceId),
      ),
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
}

/** One document, held for a bill. */
export async function lockDocument(tx: Tx, documentId: string): Promise<DocumentRow> {
  return await tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', '=', documentId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
}

/** Keeps bills away until the caller's transaction ends, but not others who do the same. */
export async function holdOffBills(tx: Db, subscriptionIds: readonly string[]): Promise<void> {
  await documentsOf(tx, subscriptionIds).clearSelect().select('id').forShare().execute()
}

function documentsOf(db: Db, subscriptionIds: readonly string[]) {
  return db
    .selectFrom('subscription_documents')
    .selectAll()
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('subscription_lines')
          .select('subscription_lines.id')
          .whereRef('subscription_lines.document_id', '=', 'subscription_documents.id')
          .where('subscription_lines.subscription_id', '=', sql<string>`any(${subscriptionIds}::uuid[])`),
      ),
    )
    .orderBy('id')
}
