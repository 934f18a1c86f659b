import { sql } from 'kysely'
import type { Db } from './database.ts'
import { newIds } from './identifier.ts'
import { holdOffBills } from './subscription-documents.ts'

export interface NewUsageEvent {
  readonly source: string
  readonly eventId: string
  readonly subscriptionId: string
  readonly metric: string
  /** Decimal. */
  readonly quantity: string
  readonly unit: string
  /** Instant in milliseconds: windows are cut by them, a finer one could fall between two. */
  readonly occurredAt: string
  /** The sender named no instant: it is when the event came, and sent again it is another. */
  readonly isInstantOfArrival?: boolean
}

export type UsageEventResult = 'stored' | 'duplicate' | 'conflict'

interface Row extends NewUsageEvent {
  readonly id: string
  /** Place in what the caller gave. */
  readonly index: number
}

/**
 * Stores pushed amounts, any number by few statements, in the caller's transaction. The documents of their subscriptions are
 * held against a bill until its commit: what comes after its window was billed is marked late, and the next invoice bills
 * it. The same source and id again is a duplicate; with other content it is a conflict, and nothing of it is kept.
 * @param now of each subscription, as an ISO instant
 * @returns in the order of the events
 */
export async function storeUsageEvents(
  tx: Db,
  events: readonly NewUsageEvent[],
  now: (subscriptionId: string) => string,
): Promise<UsageEventResult[]> {
  await holdOffBills(tx, [...new Set(events.map((event) => event.subscriptionId))])
  const ids = newIds(events.length)
  // In one order for all: two callers with the same events never wait for each other.
  const rows = events.map((event, index): Row => ({ ...event, index, id: ids[index] ?? '' })).toSorted(byName)
  const storedIds = await insertRows(tx, rows)
  const stored = rows.filter((row) => storedIds.has(row.id))
  await markLate(tx, stored)
  await noteUsageAfterEnd(tx, stored, now)
  const results = events.map((): UsageEventResult => 'stored')
  const known = rows.filter((row) => !storedIds.has(row.id))
  for (const index of await findConflicts(tx, known)) results[index] = 'conflict'
  for (const { index } of known) if (results[index] === 'stored') results[index] = 'duplicate'
  return results
}

function byName(one: Row, other: Row): number {
  if (one.source !== other.source) return one.source < other.source ? -1 : 1
  if (one.eventId !== other.eventId) return one.eventId < other.eventId ? -1 : 1
  return one.index - other.index
}

/** One array a column: a statement of any number of rows has the same few parameters. */
function columnsOf(rows: readonly Row[]) {
  const column = (key: Exclude<keyof Row, 'index' | 'isInstantOfArrival'>) => rows.map((row) => row[key])
  return sql`${column('id')}::uuid[], ${column('source')}::text[], ${column('eventId')}::text[],
    ${column('subscriptionId')}::uuid[], ${column('metric')}::text[], ${column('quantity')}::numeric[],
    ${column('unit')}::text[], ${column('occurredAt')}::timestamptz[]`
}

async function insertRows(tx: Db, rows: readonly Row[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set()
  const inserted = await sql<{ id: string }>`
    insert into usage_events (id, source, event_id, subscription_id, metric, quantity, unit, occurred_at)
    select * from unnest(${columnsOf(rows)})
    on conflict (source, event_id) do nothing
    returning id`.execute(tx)
  return new Set(inserted.rows.map(({ id }) => id))
}

/** The places of those whose name another content has. */
async function findConflicts(tx: Db, rows: readonly Row[]): Promise<number[]> {
  if (rows.length === 0) return []
  const { rows: conflicts } = await sql<{ index: number }>`
    select given.index
    from unnest(${columnsOf(rows)}, ${rows.map((row) => row.index)}::int[],
        ${rows.map((row) => row.isInstantOfArrival === true)}::boolean[])
      as given (id, source, event_id, subscription_id, metric, quantity, unit, occurred_at, index, is_instant_of_arrival)
    join usage_events kept using (source, event_id)
    where kept.subscription_id <> given.subscription_id or kept.metric <> given.metric
      or kept.quantity <> given.quantity or kept.unit <> given.unit
      or (kept.occurred_at <> given.occurred_at and not given.is_instant_of_arrival)`.execute(tx)
  return conflicts.map(({ index }) => index)
}

/** What lies in a window that was billed already: the next invoice bills it, as late. */
async function markLate(tx: Db, stored: readonly Row[]): Promise<void> {
  if (stored.length === 0) return
  const billedUntil = await readBilledUntil(tx, [...new Set(stored.map((row) => row.subscriptionId))])
  const perhaps = stored.filter(
    (row) => Date.parse(row.occurredAt) <= Date.parse(billedUntil.get(row.subscriptionId) ?? ''),
  )
  if (perhaps.length === 0) return
  await sql`
    update usage_events event set is_late = true
    where event.id = any(${perhaps.map(({ id }) => id)}::uuid[]) and exists (
      select from usage_windows frozen join subscription_lines line on line.id = frozen.subscription_line_id
      where line.subscription_id = event.subscription_id and frozen.metric = event.metric and not frozen.is_late
        and lower(frozen.window_period) < event.occurred_at and event.occurred_at <= upper(frozen.window_period))`.execute(
    tx,
  )
}

/** The end of what was billed last of each subscription, where anything was. */
async function readBilledUntil(tx: Db, subscriptionIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ subscription_id: string; billed_until: string }>`
    select line.subscription_id, max(upper(frozen.window_period)) as billed_until
    from subscription_lines line join usage_windows frozen on frozen.subscription_line_id = line.id
    where line.subscription_id = any(${subscriptionIds}::uuid[]) and not frozen.is_late
    group by line.subscription_id`.execute(tx)
  return new Map(rows.map((row) => [row.subscription_id, row.billed_until]))
}

/** After the last bill nobody would look for it: of a subscription whose service has ended it is noted (`billLateUsage`). */
async function noteUsageAfterEnd(
  tx: Db,
  stored: readonly Row[],
  now: (subscriptionId: string) => string,
): Promise<void> {
  const subscriptionIds = [...new Set(stored.map((row) => row.subscriptionId))]
  if (subscriptionIds.length === 0) return
  await sql`
    update subscriptions subscription set late_usage_at = given.now
    from unnest(${subscriptionIds}::uuid[], ${subscriptionIds.map(now)}::timestamptz[]) as given (id, now), customers
    where subscription.id = given.id and customers.id = subscription.customer_id
      and subscription.ends_on <= (given.now at time zone customers.time_zone)::date`.execute(tx)
}
