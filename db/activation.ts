import { dateIn } from '#domain/calendar.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { lockSubscription, tellOf, type Subscription } from './subscription.ts'
import { closeTasks } from './task.ts'

/**
 * Begins recurrence on the day the application was observed ready: nobody pays for what was not built. Lines join the
 * customer's open document of their interval and currency, or open it with this day as its anchor.
 */
export async function activateSubscription(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.activated_at !== null) return
    const today = dateIn(subscription.time_zone, now)
    const lines = await tx
      .selectFrom('subscription_lines')
      .selectAll()
      .where('subscription_id', '=', subscriptionId)
      .orderBy('position')
      .execute()
    const recurring = lines.filter((row) => row.interval_unit !== null)
    const documents = await ensureDocuments(tx, subscription, recurring, today)
    for (const line of recurring) {
      await tx
        .updateTable('subscription_lines')
        .set({ starts_on: today, document_id: documents.get(intervalName(line)) ?? null })
        .where('id', '=', line.id)
        .execute()
    }
    const [first] = recurring
    const firstDocumentId = first ? documents.get(intervalName(first)) : null
    await tx
      .updateTable('subscription_lines')
      .set({ starts_on: today, document_id: firstDocumentId ?? null })
      .where('subscription_id', '=', subscriptionId)
      .where('starts_on', 'is', null)
      .execute()
    await tx
      .updateTable('subscriptions')
      .set({ phase: 'active', activated_at: now, starts_on: today, parked_reason: null })
      .where('id', '=', subscriptionId)
      .execute()
    await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'built' }, ['build_failed'])
    await tellOf(tx, subscription, 'subscription.activated', { now, data: { starts_on: today } })
  })
}

interface RecurringLine {
  readonly interval_count: number | null
  readonly interval_unit: 'day' | 'month' | 'month_last_day' | null
}

function intervalName(line: RecurringLine): string {
  return `${line.interval_unit} ${line.interval_count}`
}

/** The open document of each interval. Intervals are taken in one order, so that two activations never wait for each other. */
async function ensureDocuments(
  tx: Tx,
  subscription: Subscription,
  lines: readonly RecurringLine[],
  today: string,
): Promise<Map<string, string>> {
  const intervals = new Map(lines.map((line) => [intervalName(line), line]))
  const documents = new Map<string, string>()
  for (const [name, line] of [...intervals].toSorted(([first], [second]) => first.localeCompare(second))) {
    documents.set(name, await ensureDocument(tx, subscription, line, today))
  }
  return documents
}

/** A document may close between being found and being locked; then the next try opens a new one. */
const documentTries = 5

async function ensureDocument(
  tx: Tx,
  subscription: Subscription,
  line: RecurringLine,
  today: string,
): Promise<string> {
  const { interval_count, interval_unit } = line
  if (interval_count === null || interval_unit === null)
    throw new Error('a one-time fee has no document of its own')
  const key = {
    customer_id: subscription.customer_id,
    interval_count,
    interval_unit,
    currency: subscription.currency,
    test_clock_id: subscription.test_clock_id,
  }
  for (let attempt = 0; attempt < documentTries; attempt += 1) {
    await openDocument(tx, { ...key, billing_cycle_anchor: today, time_zone: subscription.time_zone })
    const documentId = await lockOpenDocument(tx, key)
    if (documentId !== undefined) return documentId
  }
  throw new Error('the document closes again and again')
}

interface DocumentKey {
  readonly customer_id: string
  readonly interval_count: number
  readonly interval_unit: 'day' | 'month' | 'month_last_day'
  readonly currency: string
  readonly test_clock_id: string | null
}

/** Opens the document of the key unless one is open. */
async function openDocument(
  tx: Tx,
  document: DocumentKey & { billing_cycle_anchor: string; time_zone: string },
): Promise<void> {
  await tx
    .insertInto('subscription_documents')
    .values({
      ...document,
      id: newId(),
      next_invoice_on: document.billing_cycle_anchor,
      parked_reason: null,
      closed_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
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
    .where('closed_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row?.id
}
