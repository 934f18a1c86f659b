import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { compareDates, cycleBoundary, dateIn, startOfDay } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { billLines } from './bill.ts'
import type { Db, Tx } from './database.ts'
import { listDocuments, lockDocuments, type DocumentRow } from './subscription-documents.ts'
import { closeTasks } from './task.ts'

/** A document's state after billing, and the invoice that billing made or found. */
export interface BilledDocument {
  readonly documentId: string
  readonly invoiceNumber: string | null
  readonly totalMinor: number
  /** Index and instant of the next period to bill; null when the document is closed. */
  readonly next: { readonly periodIndex: number; readonly dueAt: string } | null
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
  const isClosed = await isEverythingBilled(tx, document.id, { on: period.start, finalOf: null })
  if (document.parked_reason !== null)
    await closeTasks(tx, { kind: 'document', id: document.id, reason: 'billed' }, ['document_parked'])
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

/**
 * No line of the document goes on after the date: a later order of the customer opens a new document. Subscriptions that
 * are taken down have their last bill already, and the one that gets it now is as good as ended.
 */
async function isEverythingBilled(
  tx: Tx,
  documentId: string,
  at: { on: string; finalOf: string | null },
): Promise<boolean> {
  const open = await tx
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions', 'subscriptions.id', 'line.subscription_id')
    .select('line.id')
    .where('line.document_id', '=', documentId)
    .where('line.interval_unit', 'is not', null)
    .where('subscriptions.phase', 'not in', ['unbuilding', 'ended'])
    .where('subscriptions.id', 'is distinct from', at.finalOf)
    .where((eb) => eb.or([eb('line.ends_on', 'is', null), eb('line.ends_on', '>', at.on)]))
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
  const documents = await listDocuments(db, subscriptionId)
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
    const documents = await lockDocuments(tx, bill.subscriptionId)
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
  bill: { subscriptionId: string; asOf: string; now: string },
): Promise<void> {
  const at = { on: bill.asOf, finalOf: bill.subscriptionId }
  if (!(await isEverythingBilled(tx, document.id, at))) return
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
