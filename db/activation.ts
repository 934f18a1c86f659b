import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { dateIn, type BillingInterval } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { decideStart, openingDocument, type OpeningDocument } from '#domain/recurrence-start.ts'
import { defaultTerms, type Terms } from '#domain/terms.ts'
import { within, type Db, type Tx } from './database.ts'
import { newId } from './identifier.ts'
import { readSeller } from './seller.ts'
import { lockSubscription, tellOf, type Subscription } from './subscription.ts'
import { closeTasks } from './task.ts'

/**
 * Begins recurrence once the application was observed ready, by default on this day: nobody pays for what was not built.
 * Lines join the customer's open document of their interval and currency, or open it with their first day as its anchor.
 * @throws `order_ended`
 */
export async function activateSubscription(db: Db, subscriptionId: string, now: string): Promise<void> {
  await within(db, async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.activated_at !== null) return
    const lines = await listLines(tx, subscriptionId)
    const startsOn = await readStart(tx, subscription, { lines, now })
    const documents = await ensureDocuments(tx, subscription, lines.filter(recurs), startsOn)
    const [firstDocumentId] = lines.flatMap((line) => documents.get(keyOf(line)) ?? [])
    for (const line of lines) {
      // A one-time fee lies on the first document, so that it is on one invoice with what recurs.
      const documentId = recurs(line) ? documents.get(keyOf(line)) : firstDocumentId
      await tx
        .updateTable('subscription_lines')
        .set({ starts_on: startsOn, document_id: documentId ?? null })
        .where('id', '=', line.id)
        .execute()
    }
    await tx
      .updateTable('subscriptions')
      .set({ phase: 'active', activated_at: now, starts_on: startsOn, parked_reason: null })
      .where('id', '=', subscriptionId)
      .execute()
    await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'built' }, ['build_failed'])
    await tellOf(tx, subscription, 'subscription.activated', { now, data: { starts_on: startsOn } })
  })
}

async function listLines(tx: Tx, subscriptionId: string) {
  return await tx
    .selectFrom('subscription_lines')
    .select(['id', 'interval_count', 'interval_unit', 'terms'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('position')
    .execute()
}
type LineRow = Awaited<ReturnType<typeof listLines>>[number]

async function readStart(
  tx: Tx,
  subscription: Subscription,
  { lines, now }: { lines: readonly LineRow[]; now: string },
): Promise<string> {
  const seller = await readSeller(tx)
  const order = await tx
    .selectFrom('orders')
    .select(['confirmed_at', 'cancelled_at', 'expired_at'])
    .where('id', '=', subscription.order_id)
    .where('confirmed_at', 'is not', null)
    .$narrowType<{ confirmed_at: string }>()
    .executeTakeFirstOrThrow()
  // Whoever cancels an order has locked its subscriptions: here is seen that it was done before.
  if (order.cancelled_at !== null || order.expired_at !== null) {
    throw new BusinessError('order_ended', 'The order was ended before the subscription was active.')
  }
  return decideStart({
    rule: seller.recurrenceStarts,
    orderedOn: dateIn(subscription.time_zone, order.confirmed_at),
    plannedOn: subscription.starts_on,
    activatedOn: dateIn(subscription.time_zone, now),
    draftDays: seller.draftDays,
    hasOneTimeFee: lines.some((line) => line.interval_unit === null),
  })
}

/** What decides on which document a line lies. */
export type DocumentedLine = Pick<LineRow, 'interval_count' | 'interval_unit' | 'terms'>

function recurs(line: DocumentedLine): boolean {
  return line.interval_unit !== null
}

function alignmentOf(line: DocumentedLine): Terms['alignment'] {
  return line.terms.alignment ?? defaultTerms.alignment
}

/** Lines of one key lie on one document. */
function keyOf(line: DocumentedLine): string {
  return `${line.interval_unit} ${line.interval_count} ${alignmentOf(line)}`
}

/** The open document of each key. Keys are taken in one order, so that two activations never wait for each other. */
async function ensureDocuments(
  tx: Tx,
  subscription: Subscription,
  lines: readonly LineRow[],
  startsOn: string,
): Promise<Map<string, string>> {
  const byKey = new Map(lines.map((line) => [keyOf(line), line]))
  const documents = new Map<string, string>()
  for (const [key, line] of [...byKey].toSorted(([first], [second]) => first.localeCompare(second))) {
    documents.set(key, await ensureDocument(tx, subscription, line, startsOn))
  }
  return documents
}

/** A document may close between being found and being locked; then the next try opens a new one. */
const documentTries = 5

/** The open document of a line that recurs: the one there is, or a new one that begins with the line. It is locked. */
export async function ensureDocument(
  tx: Tx,
  subscription: Subscription,
  line: DocumentedLine,
  startsOn: string,
): Promise<string> {
  const { interval_count: count, interval_unit: unit } = line
  assert(count !== null && unit !== null, 'a one-time fee has no document of its own')
  const opening = openingDocument(
    { interval: { count, unit }, alignment: alignmentOf(line) },
    startsOn,
    subscription.has_own_anchor,
  )
  const key = {
    customer_id: subscription.customer_id,
    interval_count: count,
    interval_unit: unit,
    currency: subscription.currency,
    test_clock_id: subscription.test_clock_id,
    purchase_order_reference: await splittingReference(tx, subscription),
    own_anchor_on: opening.ownAnchorOn,
  }
  for (let attempt = 0; attempt < documentTries; attempt += 1) {
    await openDocument(tx, key, opening, subscription.time_zone)
    const documentId = await lockOpenDocument(tx, key)
    if (documentId === undefined) continue
    await beginEarlier(tx, documentId, opening)
    return documentId
  }
  throw new Error('the document closes again and again')
}

/** The reference whose lines are billed apart, where the customer wants that. */
async function splittingReference(tx: Tx, subscription: Subscription): Promise<string | null> {
  if (subscription.purchase_order_reference === null) return null
  const customer = await tx
    .selectFrom('customers')
    .select('splits_by_purchase_order')
    .where('id', '=', subscription.customer_id)
    .executeTakeFirstOrThrow()
  return customer.splits_by_purchase_order ? subscription.purchase_order_reference : null
}

interface DocumentKey {
  readonly customer_id: string
  readonly interval_count: number
  readonly interval_unit: BillingInterval['unit']
  readonly currency: string
  readonly test_clock_id: string | null
  readonly purchase_order_reference: string | null
  readonly own_anchor_on: string | null
}

/** Opens the document of the key unless one is open. */
async function openDocument(
  tx: Tx,
  key: DocumentKey,
  opening: OpeningDocument,
  timeZone: string,
): Promise<void> {
  await tx
    .insertInto('subscription_documents')
    .values({
      ...key,
      id: newId(),
      billing_cycle_anchor: opening.billingCycleAnchor,
      time_zone: timeZone,
      next_period_index: opening.nextPeriodIndex,
      next_invoice_on: opening.nextInvoiceOn,
      advance_days: sql<number>`(select advance_days from installation)`,
      parked_reason: null,
      closed_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/**
 * A document that was opened for a day to come, by a change that is planned or a start that was agreed, begins with the line
 * that joins it before: as long as nothing of it was billed, nor drafted, its periods can be counted from any day.
 */
async function beginEarlier(tx: Tx, documentId: string, opening: OpeningDocument): Promise<void> {
  await tx
    .updateTable('subscription_documents')
    .set({
      billing_cycle_anchor: opening.billingCycleAnchor,
      next_period_index: opening.nextPeriodIndex,
      next_invoice_on: opening.nextInvoiceOn,
    })
    .where('id', '=', documentId)
    .where('next_invoice_on', '>', opening.nextInvoiceOn)
    // A draft is found by the day of its period.
    .where('finalize_on', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom('billing_periods').select('document_id').where('document_id', '=', documentId),
        ),
      ),
    )
    .execute()
}

async function lockOpenDocument(tx: Tx, key: DocumentKey): Promise<string | undefined> {
  const row = await tx
    .selectFrom('subscription_documents')
    .select('id')
    .where('customer_id', '=', key.customer_id)
    .where('interval_count', '=', key.interval_count)
    .where('interval_unit', '=', key.interval_unit)
    .where('currency', '=', key.currency)
    .where('test_clock_id', 'is not distinct from', key.test_clock_id)
    .where('purchase_order_reference', 'is not distinct from', key.purchase_order_reference)
    .where('own_anchor_on', 'is not distinct from', key.own_anchor_on)
    .where('closed_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row?.id
}
