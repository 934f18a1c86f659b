import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { holdOffBills } from './subscription-documents.ts'
import { measureUsages, type UsageQuestion } from './usage-measure.ts'

export interface NewReading {
  readonly metric: string
  readonly series: string
  readonly value: string
  readonly unit: string
}

/** Stores what was read of one instance at one moment; the same moment again is the same reading. */
export async function insertReadings(
  db: Db,
  at: { instanceId: string; isOpening: boolean; sampledAt: string; readAt: string },
  readings: readonly NewReading[],
): Promise<number> {
  if (readings.length === 0) return 0
  const rows = readings.map((reading) => ({
    instance_id: at.instanceId,
    metric: reading.metric,
    series: reading.series,
    value: reading.value,
    unit: reading.unit,
    is_opening: at.isOpening,
    read_at: at.readAt,
    sampled_at: at.sampledAt,
  }))
  const results = await db
    .insertInto('readings')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['instance_id', 'metric', 'series', 'sampled_at']).doNothing())
    .returning('id')
    .execute()
  return results.length
}

/** The usage of one line in a window, in the line's unit, from readings and pushed events. */
export async function measureUsage(db: Db, question: UsageQuestion): Promise<UsageQuantity> {
  const [answer] = await measureUsages(db, [question])
  assert(answer, 'every question has an answer')
  return answer.usage
}

export interface NewUsageEvent {
  readonly source: string
  readonly eventId: string
  readonly subscriptionId: string
  readonly metric: string
  readonly quantity: string
  readonly unit: string
  readonly occurredAt: string
  /** The sender named no instant: it is when the event came, and sent again it is another. */
  readonly isInstantOfArrival?: boolean
}

/** Stores a pushed amount. The same source and id again is a duplicate; with other content it is a conflict. */
export async function insertUsageEvent(
  db: Db,
  event: NewUsageEvent,
): Promise<'stored' | 'duplicate' | 'conflict'> {
  // Windows are cut by the millisecond: a finer instant could fall between two of them.
  const occurredAt = Temporal.Instant.from(event.occurredAt).toString({ smallestUnit: 'millisecond' })
  const stored = await db
    .insertInto('usage_events')
    .values({
      id: newId(),
      source: event.source,
      event_id: event.eventId,
      subscription_id: event.subscriptionId,
      metric: event.metric,
      quantity: event.quantity,
      unit: event.unit,
      occurred_at: occurredAt,
    })
    .onConflict((conflict) => conflict.columns(['source', 'event_id']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (stored) return 'stored'
  const kept = await db
    .selectFrom('usage_events')
    .select('occurred_at')
    .where('source', '=', event.source)
    .where('event_id', '=', event.eventId)
    .where('subscription_id', '=', event.subscriptionId)
    .where('metric', '=', event.metric)
    .where('quantity', '=', event.quantity)
    .where('unit', '=', event.unit)
    .executeTakeFirst()
  const isSameInstant = event.isInstantOfArrival === true || kept?.occurred_at === occurredAt
  return kept && isSameInstant ? 'duplicate' : 'conflict'
}

/**
 * Marks a stored event as late if the window that it lies in was billed already: the next invoice bills it, as late. The
 * documents are held against a bill, so that none is made between this look and the caller's commit. Of a subscription
 * whose service has ended it is noted that usage came (`billLateUsage`).
 */
export async function markIfLate(
  tx: Db,
  event: { subscriptionId: string; source: string; eventId: string; now: string },
): Promise<boolean> {
  await holdOffBills(tx, event.subscriptionId)
  const { rows } = await sql`
    update usage_events event set is_late = true
    where event.source = ${event.source} and event.event_id = ${event.eventId} and exists (
      select from usage_windows frozen join subscription_lines line on line.id = frozen.subscription_line_id
      where line.subscription_id = event.subscription_id and frozen.metric = event.metric and not frozen.is_late
        and lower(frozen.window_period) < event.occurred_at and event.occurred_at <= upper(frozen.window_period))
    returning event.id`.execute(tx)
  // After the last bill nobody would look for it.
  await sql`
    update subscriptions set late_usage_at = ${event.now}
    where id = ${event.subscriptionId} and ends_on <= (
      select (${event.now}::timestamptz at time zone time_zone)::date from customers where id = customer_id
    )`.execute(tx)
  return rows.length > 0
}
