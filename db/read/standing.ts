import { sql } from 'kysely'
import { compareDates, cycleBoundary, dateIn, type BillingInterval } from '#domain/calendar.ts'
import type { Standing, StandingDocument, StandingSubscription } from '#domain/invoice/simulation.ts'
import { readBillInputs } from '../bill-input.ts'
import { readTogether, type Db } from '../database.ts'
import { removeDrafts } from '../draft.ts'
import { readPayerId } from '../payer.ts'
import { inVain } from '../in-vain.ts'
import type { LineSource } from '../invoice-line.ts'
import type { DocumentRow } from '../subscription-documents.ts'

/** Whose bills are to be foreseen. */
export type ForeseenOf = { readonly subscriptionId: string } | { readonly documentId: string }

/** With what of it is whose, and when its days begin. */
export interface ReadDocument extends StandingDocument {
  readonly sources: ReadonlyMap<string, LineSource>
  readonly timeZone: string
}

/** What a customer's bills to come are computed from, and the day it is for them. */
export interface ReadStanding extends Standing {
  readonly documents: readonly ReadDocument[]
  readonly today: string
  readonly currency: string
  /** What the customer is owed, which the next bills use before anybody pays. */
  readonly balanceMinor: number
  /** The documents that were asked about; the others may change what these bill. */
  readonly documentIds: ReadonlySet<string>
  /** By line. */
  readonly subscriptionIds: ReadonlyMap<string, string>
}

/**
 * Reads what the bills of a subscription or a document are computed from, by the function that the bills are made by and in
 * a constant number of queries. It holds all documents of the customer in that currency, for they share subscriptions and
 * one-off charges; nothing is locked.
 * @returns null where nothing is billed any more, or nothing yet
 */
export async function readStanding(db: Db, of: ForeseenOf): Promise<ReadStanding | null> {
  const documents = await listOpenDocuments(db, of)
  const hasDraft = documents.some((document) => document.finalize_on !== null)
  if (!hasDraft) return await readOpen(db, documents)
  // A draft is computed anew when it is finalized: what stands on it is still to come.
  return await inVain(db, async (tx) => {
    await removeDrafts(tx, documents)
    return await readOpen(tx, documents)
  })
}

async function readOpen(db: Db, documents: readonly OpenDocument[]): Promise<ReadStanding | null> {
  const [first] = documents
  if (!first) return null
  const { at } = first
  const bills = documents.map((document) => {
    const asOf = boundaryToCome(document, dateIn(document.time_zone, at))
    return { reason: 'period', document, subscriptionIds: null, asOf, now: at } as const
  })
  const [inputs, balanceMinor, subscriptions] = await readTogether(
    db,
    async () => readBillInputs(db, bills, { isPreview: true }),
    async () => readBalance(db, first),
    async () =>
      listSubscriptions(
        db,
        documents.map(({ id }) => id),
      ),
  )
  const read = documents.flatMap((document, index) => {
    const bill = inputs[index] ?? null
    return bill === null ? [] : [{ document, bill }]
  })
  const documentOfLine = new Map(
    read.flatMap((entry) => entry.bill.input.lines.map((line) => [line.id, entry])),
  )
  return {
    today: dateIn(first.time_zone, at),
    currency: first.currency,
    skipsZeroInvoices: first.skips_zero_invoices,
    balanceMinor,
    subscriptionIds: new Map(
      read.flatMap(({ bill }) => bill.input.lines.map((line) => [line.id, line.subscriptionId] as const)),
    ),
    documentIds: new Set(documents.filter((document) => document.is_asked).map(({ id }) => id)),
    documents: read.map(({ document, bill }) => ({
      id: document.id,
      cycles: { anchor: document.billing_cycle_anchor, interval: intervalOf(document) },
      nextPeriodIndex: document.next_period_index,
      nextInvoiceOn: document.closed_at === null ? document.next_invoice_on : null,
      advanceDays: document.advance_days,
      input: bill.input,
      sources: bill.sources,
      timeZone: document.time_zone,
    })),
    subscriptions,
    reprice: (part) =>
      part.kind === 'one_off' ? part : (documentOfLine.get(part.line.id)?.bill.reprice(part) ?? part),
  }
}

/** `at` is now: the test clock's, else the real one. */
type OpenDocument = DocumentRow & {
  readonly is_asked: boolean
  readonly skips_zero_invoices: boolean
  readonly at: string
}

/** Closed ones belong to them until the last bill of each of their subscriptions is made. */
async function listOpenDocuments(db: Db, of: ForeseenOf): Promise<OpenDocument[]> {
  const isAsked =
    'documentId' in of
      ? sql<boolean>`document.id = ${of.documentId}`
      : sql<boolean>`document.id in (select document_id from subscription_lines where subscription_id = ${of.subscriptionId})`
  const { rows } = await sql<OpenDocument>`
    with asked as (select * from subscription_documents document where ${isAsked})
    select document.*, document.id in (select id from asked) as is_asked,
      (select skips_zero_invoices from installation) as skips_zero_invoices, coalesce(clock.now_at, now()) as at
    from subscription_documents document left join test_clocks clock on clock.id = document.test_clock_id
    where exists (select from asked where asked.customer_id = document.customer_id and asked.currency = document.currency
        and asked.test_clock_id is not distinct from document.test_clock_id)
      and (document.closed_at is null or exists (
        select from subscription_lines line join subscriptions on subscriptions.id = line.subscription_id
        where line.document_id = document.id and subscriptions.phase not in ('unbuilding', 'ended')))
    order by document.id`.execute(db)
  return rows
}

async function readBalance(db: Db, of: DocumentRow): Promise<number> {
  const row = await db
    .selectFrom('customer_balances')
    .select('amount_minor')
    .where('customer_id', '=', await readPayerId(db, of.customer_id))
    .where('currency', '=', of.currency)
    .where('test_clock_id', 'is not distinct from', of.test_clock_id)
    .executeTakeFirst()
  return row?.amount_minor ?? 0
}

/** All usage that was measured already lies before it, also where periods were missed. */
export function boundaryToCome(document: DocumentRow, today: string): string {
  const { billing_cycle_anchor: anchor, next_period_index, next_invoice_on } = document
  let [index, on] = [next_period_index, next_invoice_on]
  while (compareDates(on, today) <= 0) {
    index += 1
    on = cycleBoundary(anchor, intervalOf(document), index)
  }
  return on
}

function intervalOf(document: DocumentRow): BillingInterval {
  return { count: document.interval_count, unit: document.interval_unit }
}

async function listSubscriptions(db: Db, documentIds: readonly string[]): Promise<StandingSubscription[]> {
  const { rows } = await sql<{
    id: string
    ends_on: string | null
    is_over: boolean
    document_ids: string[]
  }>`
    select subscription.id, subscription.ends_on, subscription.phase in ('unbuilding', 'ended') as is_over,
      array_agg(distinct line.document_id) filter (where line.document_id is not null) as document_ids
    from subscriptions subscription join subscription_lines line on line.subscription_id = subscription.id
    where subscription.id in (select subscription_id from subscription_lines where document_id in (${sql.join(documentIds)}))
    group by subscription.id order by subscription.id`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    endsOn: row.ends_on,
    isOver: row.is_over,
    documentIds: row.document_ids,
  }))
}
