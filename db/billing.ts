import { sql } from 'kysely'
import {
  compareDates,
  cycleBoundary,
  dateIn,
  startOfDay,
  type BillingInterval,
  type Period,
} from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import {
  dueParts,
  rateParts,
  type BillableLine,
  type BilledPart,
  type DuePart,
  type InvoiceLineDraft,
} from '#domain/invoice/lines.ts'
import { assert } from '#domain/assert.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { insertInvoice, type InvoiceDraft, type InvoiceLineRow } from './invoice.ts'
import { closeTasks } from './task.ts'
import { measureUsage, isMeteredUntil } from './usage.ts'

/** A document's state after billing, and the invoice that billing made or found. */
export interface BilledDocument {
  readonly documentId: string
  readonly invoiceNumber: string | null
  readonly totalMinor: number
  /** Index and instant of the next period to bill; null when the document is closed. */
  readonly next: { readonly periodIndex: number; readonly dueAt: string } | null
}

/** A metric of the document was not read past the period's end yet, and its grace is not over. */
export class DocumentNotReady extends Error {
  readonly documentId: string

  constructor(documentId: string) {
    super(`document ${encodeId('document', documentId)} waits for readings past the end of its period`)
    this.name = 'DocumentNotReady'
    this.documentId = documentId
  }
}

/** How long a document waits for missing readings; what comes later is billed as late. */
const graceMs = 6 * 3_600_000

export interface DocumentRow {
  readonly id: string
  readonly customer_id: string
  readonly interval_count: number
  readonly interval_unit: BillingInterval['unit']
  readonly currency: string
  readonly billing_cycle_anchor: string
  readonly time_zone: string
  readonly test_clock_id: string | null
  readonly next_period_index: number
  readonly next_invoice_on: string
  readonly parked_reason: string | null
  readonly closed_at: string | null
}

/**
 * Bills one period of a document in one transaction: what is paid in advance for the period, and what is in arrears
 * from those before. Called again, by whomever, it finds the work done and gives the same answer.
 * Lock order, always: document, lines by id, number series last. Keys stay unlocked, so that a row which only names the
 * document or a line need not wait.
 * @throws DocumentNotReady
 */
export async function billPeriod(
  db: Db,
  key: { documentId: string; periodIndex: number },
  now: string,
): Promise<BilledDocument> {
  return await db.transaction().execute(async (tx) => {
    const document = await lockDocument(tx, key.documentId)
    if (key.periodIndex < document.next_period_index) return await readBilled(tx, document, key.periodIndex)
    assert(key.periodIndex === document.next_period_index, 'periods are billed in order')
    const isDue = compareDates(document.next_invoice_on, dateIn(document.time_zone, now)) <= 0
    if (!isDue || document.closed_at !== null) return await readBilled(tx, document, key.periodIndex)
    return await billNextPeriod(tx, document, now)
  })
}

async function lockDocument(tx: Tx, documentId: string): Promise<DocumentRow> {
  return await tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', '=', documentId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
}

async function billNextPeriod(tx: Tx, document: DocumentRow, now: string): Promise<BilledDocument> {
  const interval = { count: document.interval_count, unit: document.interval_unit }
  const index = document.next_period_index
  const period = {
    start: document.next_invoice_on,
    end: cycleBoundary(document.billing_cycle_anchor, interval, index + 1),
  }
  const invoiceId = await billLines(tx, {
    billingKey: `document/${encodeId('document', document.id)}/${period.start}`,
    of: { documentId: document.id },
    document,
    subscriptionId: null,
    asOf: period.start,
    now,
  })
  await tx
    .insertInto('billing_periods')
    .values({
      document_id: document.id,
      period_index: index,
      period: `[${period.start},${period.end})`,
      invoice_id: invoiceId,
    })
    .execute()
  const isClosed = await isEverythingBilled(tx, document.id, period.start)
  if (document.parked_reason !== null)
    await closeTasks(tx, { kind: 'document', id: document.id, reason: 'billed' })
  const after = await tx
    .updateTable('subscription_documents')
    .set({
      next_period_index: index + 1,
      next_invoice_on: period.end,
      parked_reason: null,
      closed_at: isClosed ? now : null,
    })
    .where('id', '=', document.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  return await readBilled(tx, after, index)
}

/** No line of the document goes on after the date: a later order of the customer opens a new document. */
async function isEverythingBilled(tx: Tx, documentId: string, on: string): Promise<boolean> {
  const open = await tx
    .selectFrom('subscription_lines')
    .select('id')
    .where('document_id', '=', documentId)
    .where('interval_unit', 'is not', null)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', on)]))
    .limit(1)
    .executeTakeFirst()
  return open === undefined
}

async function readBilled(tx: Tx, document: DocumentRow, periodIndex: number): Promise<BilledDocument> {
  const invoice = await tx
    .selectFrom('billing_periods')
    .innerJoin('invoices', 'invoices.id', 'billing_periods.invoice_id')
    .select(['invoices.number', 'invoices.total_minor'])
    .where('billing_periods.document_id', '=', document.id)
    .where('period_index', '=', periodIndex)
    .executeTakeFirst()
  return {
    documentId: document.id,
    invoiceNumber: invoice?.number ?? null,
    totalMinor: invoice?.total_minor ?? 0,
    next:
      document.closed_at === null
        ? {
            periodIndex: document.next_period_index,
            dueAt: startOfDay(document.time_zone, document.next_invoice_on),
          }
        : null,
  }
}

/**
 * The first bill of a subscription: on its document's period 0 where activation opened the document, else on an invoice
 * of its own for what the joined document had billed before; the next period is billed with all the others.
 */
export async function billOpening(db: Db, subscriptionId: string, now: string): Promise<string[]> {
  const subscription = await db
    .selectFrom('subscriptions')
    .selectAll()
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const documents = await db
    .selectFrom('subscription_documents')
    .selectAll()
    .where(
      'id',
      'in',
      db
        .selectFrom('subscription_lines')
        .select('document_id')
        .where('subscription_id', '=', subscriptionId)
        .$castTo<{ document_id: string }>(),
    )
    .orderBy('id')
    .execute()
  for (const document of documents.filter((row) => row.next_period_index === 0)) {
    await billPeriod(db, { documentId: document.id, periodIndex: 0 }, now)
  }
  assert(subscription.starts_on, 'an active subscription has a start')
  await billSubscription(db, { subscriptionId, reason: 'opening', asOf: subscription.starts_on, now })
  return await listInvoiceNumbers(db, subscriptionId)
}

/** The last bill of a subscription: every open fee and all usage up to its end, and credit for what was paid beyond it. */
export async function billFinal(db: Db, subscriptionId: string, now: string): Promise<string[]> {
  const last = await db
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.max('ends_on').as('ends_on'))
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  if (last.ends_on) await billSubscription(db, { subscriptionId, reason: 'final', asOf: last.ends_on, now })
  return await listInvoiceNumbers(db, subscriptionId)
}

async function billSubscription(
  db: Db,
  bill: { subscriptionId: string; reason: 'opening' | 'final'; asOf: string; now: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const documents = await tx
      .selectFrom('subscription_documents')
      .selectAll()
      .where(
        'id',
        'in',
        tx
          .selectFrom('subscription_lines')
          .select('document_id')
          .where('subscription_id', '=', bill.subscriptionId)
          .$castTo<{ document_id: string }>(),
      )
      .orderBy('id')
      .forNoKeyUpdate()
      .execute()
    await billLines(tx, {
      billingKey: `subscription/${encodeId('subscription', bill.subscriptionId)}/${bill.reason}`,
      of: { subscriptionId: bill.subscriptionId },
      document: documents.length === 1 ? (documents[0] ?? null) : null,
      subscriptionId: bill.subscriptionId,
      asOf: bill.asOf,
      now: bill.now,
    })
    for (const document of bill.reason === 'final' ? documents : []) await closeIfBilled(tx, document, bill)
  })
}

async function closeIfBilled(
  tx: Tx,
  document: DocumentRow,
  bill: { asOf: string; now: string },
): Promise<void> {
  if (!(await isEverythingBilled(tx, document.id, bill.asOf))) return
  await tx
    .updateTable('subscription_documents')
    .set({ closed_at: bill.now })
    .where('id', '=', document.id)
    .where('closed_at', 'is', null)
    .execute()
}

async function listInvoiceNumbers(db: Db, subscriptionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('invoices')
    .select(['number', 'id'])
    .where(
      'id',
      'in',
      db.selectFrom('invoice_lines').select('invoice_id').where('subscription_id', '=', subscriptionId),
    )
    .where('number', 'is not', null)
    .orderBy('id', 'desc')
    .limit(3)
    .execute()
  return rows.flatMap((row) => (row.number === null ? [] : [row.number]))
}

interface Bill {
  readonly billingKey: string
  readonly of: { documentId: string } | { subscriptionId: string }
  readonly document: DocumentRow | null
  readonly subscriptionId: string | null
  readonly asOf: string
  readonly now: string
}

/** A line with what an invoice line and its usage window need to know of it. */
interface LineContext {
  readonly line: BillableLine
  readonly subscriptionId: string
  readonly customerId: string
  readonly productId: string
  readonly instanceId: string | null
  readonly metric: string | null
  readonly timeZone: string
  readonly testClockId: string | null
  readonly currency: string
  readonly documentId: string | null
}

/** Rates what is due and writes one finalized document; undefined parts make none. Gives its id, or null. */
async function billLines(tx: Tx, bill: Bill): Promise<string | null> {
  const existing = await tx
    .selectFrom('invoices')
    .select('id')
    .where('billing_key', '=', bill.billingKey)
    .executeTakeFirst()
  if (existing) return existing.id
  const contexts = await lockLines(tx, bill.of)
  const byLine = new Map(contexts.map((context) => [context.line.id, context]))
  const parts = dueParts(
    contexts.map((context) => context.line),
    bill.asOf,
  )
  if (parts.length === 0) return null
  const windows = await measureParts(tx, parts, byLine, bill)
  const first = contexts[0]
  assert(first, 'due parts belong to lines')
  const drafts = rateParts(parts, first.currency, (part) => {
    const usage = windows.get(part)
    assert(usage, 'every usage part was measured')
    return usage
  })
  return await writeInvoice(tx, bill, first, drafts, byLine)
}

async function writeInvoice(
  tx: Tx,
  bill: Bill,
  first: LineContext,
  drafts: readonly InvoiceLineDraft[],
  byLine: ReadonlyMap<string, LineContext>,
): Promise<string> {
  const draft: InvoiceDraft = {
    billingKey: bill.billingKey,
    customerId: first.customerId,
    documentId: bill.document?.id ?? null,
    subscriptionId: bill.subscriptionId,
    testClockId: first.testClockId,
    currency: first.currency,
    now: bill.now,
    lines: drafts.map((line): InvoiceLineRow => {
      const context = byLine.get(line.subscriptionLineId)
      assert(context, 'an invoice line belongs to a subscription line')
      return {
        draft: line,
        subscriptionId: context.subscriptionId,
        productId: context.productId,
        instanceId: context.instanceId,
        metric: context.metric,
        timeZone: context.timeZone,
      }
    }),
  }
  const invoice = await insertInvoice(tx, draft)
  for (const subscriptionId of new Set(draft.lines.map((line) => line.subscriptionId))) {
    await insertEvent(tx, {
      kind: 'invoice.finalized',
      customerId: first.customerId,
      subscriptionId,
      invoiceId: invoice.id,
      businessAt: bill.now,
      data: {
        number: invoice.number,
        kind: invoice.kind,
        total_minor: invoice.totalMinor,
        currency: first.currency,
      },
    })
  }
  return invoice.id
}

async function lockLines(tx: Tx, of: Bill['of']): Promise<LineContext[]> {
  let query = tx
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions', 'subscriptions.id', 'line.subscription_id')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .leftJoin('subscription_documents as document', 'document.id', 'line.document_id')
    .selectAll('line')
    .select(['subscriptions.customer_id', 'subscriptions.currency', 'subscriptions.test_clock_id'])
    .select(['document.billing_cycle_anchor', 'customers.time_zone'])
    .select('document.time_zone as document_time_zone')
    .where('line.starts_on', 'is not', null)
    .orderBy('line.id')
    .forNoKeyUpdate('line')
  query =
    'documentId' in of
      ? query.where('line.document_id', '=', of.documentId)
      : query.where('line.subscription_id', '=', of.subscriptionId)
  const rows = await query.execute()
  const billed = await readBilledParts(
    tx,
    rows.map((row) => row.id),
  )
  return rows
    .toSorted(
      (first, second) =>
        first.subscription_id.localeCompare(second.subscription_id) ||
        first.position - second.position ||
        (first.starts_on ?? '').localeCompare(second.starts_on ?? ''),
    )
    .map((row) => ({
      line: {
        id: row.id,
        description: row.description,
        billingType: row.billing_type,
        billingTiming: row.billing_timing,
        interval:
          row.interval_count && row.interval_unit
            ? { count: row.interval_count, unit: row.interval_unit }
            : null,
        billingCycleAnchor: row.billing_cycle_anchor ?? row.starts_on ?? '',
        quantity: row.quantity,
        unit: row.unit,
        unitPrice: row.unit_price,
        startsOn: row.starts_on ?? '',
        endsOn: row.ends_on,
        billed: billed.get(row.id) ?? [],
      },
      subscriptionId: row.subscription_id,
      customerId: row.customer_id,
      productId: row.product_id,
      instanceId: row.instance_id,
      metric: row.metric,
      // The document's zone holds for its life: windows tile, wherever the customer moves.
      timeZone: row.document_time_zone ?? row.time_zone,
      testClockId: row.test_clock_id,
      currency: row.currency,
      documentId: row.document_id,
    }))
}

/**
 * What was billed of each line. A closed line needs all of its parts, an open one only the newest: earlier parts can
 * neither be due again nor be credited, so that the thirty-sixth month costs what the first did.
 */
async function readBilledParts(tx: Tx, lineIds: readonly string[]): Promise<Map<string, BilledPart[]>> {
  if (lineIds.length === 0) return new Map()
  const rows = await tx
    .selectFrom('invoice_lines')
    .innerJoin('subscription_lines as line', 'line.id', 'invoice_lines.subscription_line_id')
    .select(['subscription_line_id', 'kind', 'amount_minor'])
    .select(sql<string | null>`lower(service_period)`.as('start'))
    .select(sql<string | null>`upper(service_period)`.as('end'))
    .where('subscription_line_id', 'in', lineIds)
    .where(
      sql<boolean>`(service_period is null or line.ends_on is not null and upper(service_period) > line.ends_on or upper(service_period) =
        (select max(upper(newest.service_period)) from invoice_lines newest where newest.subscription_line_id = line.id and newest.kind <> 'credit'))`,
    )
    .execute()
  return Map.groupBy(
    rows.map((row) => ({
      lineId: row.subscription_line_id,
      kind: row.kind,
      servicePeriod: row.start && row.end ? { start: row.start, end: row.end } : null,
      amountMinor: row.amount_minor,
    })),
    (part) => part.lineId,
  )
}

/** Measures every usage part; the window of a line's last part reaches to its closing reading. */
async function measureParts(
  tx: Tx,
  parts: readonly DuePart[],
  byLine: ReadonlyMap<string, LineContext>,
  bill: Bill,
): Promise<Map<DuePart, UsageQuantity>> {
  const measured = new Map<DuePart, UsageQuantity>()
  for (const part of parts) {
    if (part.kind !== 'usage') continue
    const context = byLine.get(part.line.id)
    assert(context?.metric, 'a usage line names its metric')
    const window = instantWindow(part.servicePeriod, context.timeZone)
    const isLast = part.line.endsOn === part.servicePeriod.end
    // The subscription's own last bill comes after its closing reading; a document's may come before it, and waits.
    const isClosed = isLast && bill.subscriptionId !== null
    const isOverdue = Date.parse(bill.now) > Date.parse(window.end) + graceMs
    if (!isClosed && !isOverdue && !(await isMeteredUntil(tx, context, window.end))) {
      throw new DocumentNotReady(context.documentId ?? part.line.id)
    }
    measured.set(
      part,
      await measureUsage(tx, { ...context, metric: context.metric, unit: part.line.unit, window, isLast }),
    )
  }
  return measured
}

function instantWindow(period: Period, timeZone: string): { start: string; end: string } {
  return { start: startOfDay(timeZone, period.start), end: startOfDay(timeZone, period.end) }
}

/** Documents whose next invoice is due, in id order, after a cursor; those on a test clock bill by their subscriptions. */
export async function listDueDocuments(
  db: Db,
  due: { now: string; after: string | null; limit: number },
): Promise<{ documentId: string; periodIndex: number }[]> {
  let query = db
    .selectFrom('subscription_documents')
    .select(['id', 'next_period_index'])
    .where('closed_at', 'is', null)
    .where('test_clock_id', 'is', null)
    .where(sql<boolean>`next_invoice_on <= (${due.now}::timestamptz at time zone time_zone)::date`)
    .orderBy('id')
    .limit(due.limit)
  if (due.after) query = query.where('id', '>', due.after)
  const rows = await query.execute()
  return rows.map((row) => ({ documentId: row.id, periodIndex: row.next_period_index }))
}
