import { sql } from 'kysely'
import {
  aggregateUsage,
  type InstantWindow,
  type MetricRule,
  type Reading,
  type UsageQuantity,
} from '#domain/usage.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { holdOffBills } from './subscription-documents.ts'

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

interface MeasuredLine {
  readonly subscriptionId: string
  readonly instanceId: string | null
  readonly metric: string
  readonly unit: string
  readonly window: InstantWindow
  /** The line ends with this window: what was read after the boundary, up to the closing reading, is in it too. */
  readonly isLast: boolean
}

/** The usage of a line in a window, in the line's unit, from readings and pushed events. */
export async function measureUsage(db: Db, line: MeasuredLine): Promise<UsageQuantity> {
  const rule = await readMetricRule(db, line)
  const until = line.isLast ? '9999-12-31T00:00:00Z' : line.window.end
  const readings =
    line.instanceId === null ? [] : await readReadings(db, { ...line, instanceId: line.instanceId, until })
  const events = await db
    .selectFrom('usage_events')
    .select(['quantity', 'unit', 'occurred_at'])
    .where('subscription_id', '=', line.subscriptionId)
    .where('metric', '=', line.metric)
    .where('occurred_at', '>', line.window.start)
    .where('occurred_at', '<=', until)
    .orderBy('occurred_at')
    .execute()
  const pushed = events.map((event) => ({
    quantity: event.quantity,
    unit: event.unit,
    occurredAt: event.occurred_at,
  }))
  const lastAt = [readings.at(-1)?.readAt, pushed.at(-1)?.occurredAt, line.window.end]
    .filter((at) => at !== undefined)
    .toSorted()
    .at(-1)
  const window = {
    start: line.window.start,
    end: line.isLast ? (lastAt ?? line.window.end) : line.window.end,
  }
  return aggregateUsage(rule, window, { readings, events: pushed }, line.unit)
}

/** Readings of the window, and the newest one of each series before it, from which growth is counted. */
async function readReadings(
  db: Db,
  of: { instanceId: string; metric: string; window: InstantWindow; until: string },
): Promise<Reading[]> {
  const inside = await db
    .selectFrom('readings')
    .select(['series', 'value', 'unit', 'is_opening', 'read_at', 'id'])
    .where('instance_id', '=', of.instanceId)
    .where('metric', '=', of.metric)
    .where('read_at', '>', of.window.start)
    .where('read_at', '<=', of.until)
    .orderBy('read_at')
    .orderBy('id')
    .execute()
  const before = await db
    .selectFrom('readings')
    .distinctOn('series')
    .select(['series', 'value', 'unit', 'is_opening', 'read_at', 'id'])
    .where('instance_id', '=', of.instanceId)
    .where('metric', '=', of.metric)
    .where('read_at', '<=', of.window.start)
    .orderBy('series')
    .orderBy('read_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  const ordered = before.toSorted((first, second) => first.id - second.id)
  return [...ordered, ...inside].map((row) => ({
    series: row.series,
    value: row.value,
    unit: row.unit,
    isOpening: row.is_opening,
    readAt: row.read_at,
  }))
}

/** How the application says its metric is counted; a metric that is only pushed is a sum. */
async function readMetricRule(
  db: Db,
  of: { instanceId: string | null; metric: string },
): Promise<MetricRule> {
  const pushedOnly: MetricRule = { kind: 'counter', aggregation: 'sum' }
  if (of.instanceId === null) return pushedOnly
  const row = await db
    .selectFrom('instances')
    .innerJoin('application_versions', 'application_versions.id', 'instances.application_version_id')
    .select('definition')
    .where('instances.id', '=', of.instanceId)
    .executeTakeFirstOrThrow()
  return row.definition.metrics.find((metric) => metric.code === of.metric) ?? pushedOnly
}

/** Whether the metric was read at or past an instant, or need not be: the instance does not run, or does not measure it. */
export async function isMeteredUntil(
  db: Db,
  of: { instanceId: string | null; metric: string | null },
  until: string,
): Promise<boolean> {
  if (of.instanceId === null || of.metric === null) return true
  const instance = await db
    .selectFrom('instances')
    .innerJoin('application_versions', 'application_versions.id', 'instances.application_version_id')
    .select(['instances.state', 'definition'])
    .where('instances.id', '=', of.instanceId)
    .executeTakeFirstOrThrow()
  const isRead = instance.definition.metrics.some((metric) => metric.code === of.metric)
  if (!isRead || !['running', 'limited'].includes(instance.state)) return true
  const reading = await db
    .selectFrom('readings')
    .select('id')
    .where('instance_id', '=', of.instanceId)
    .where('metric', '=', of.metric)
    .where('read_at', '>=', until)
    .limit(1)
    .executeTakeFirst()
  return reading !== undefined
}

/** Freezes the aggregate that a billed line refers to. */
export async function insertUsageWindow(
  tx: Tx,
  window: { subscriptionLineId: string; metric: string; usage: UsageQuantity; start: string; end: string },
): Promise<string> {
  const id = newId()
  await tx
    .insertInto('usage_windows')
    .values({
      id,
      subscription_line_id: window.subscriptionLineId,
      metric: window.metric,
      quantity: window.usage.quantity,
      unit: window.usage.unit,
      window_period: `[${window.start},${window.end})`,
      reading_count: window.usage.readingCount,
      event_count: window.usage.eventCount,
      first_read_at: window.usage.firstReadAt,
      last_read_at: window.usage.lastReadAt,
    })
    .execute()
  return id
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
 * Whether the window that an instant lies in was billed already: what came now would be on no invoice. The documents are
 * locked against a bill, so that none is made between this look and the caller's commit.
 */
export async function isUsageBilled(
  tx: Db,
  of: { subscriptionId: string; metric: string; at: string },
): Promise<boolean> {
  await holdOffBills(tx, of.subscriptionId)
  const billed = await tx
    .selectFrom('usage_windows')
    .innerJoin('subscription_lines', 'subscription_lines.id', 'usage_windows.subscription_line_id')
    .select('usage_windows.id')
    .where('subscription_lines.subscription_id', '=', of.subscriptionId)
    .where('usage_windows.metric', '=', of.metric)
    .where(
      sql<boolean>`lower(window_period) < ${of.at}::timestamptz and ${of.at}::timestamptz <= upper(window_period)`,
    )
    .limit(1)
    .executeTakeFirst()
  return billed !== undefined
}
