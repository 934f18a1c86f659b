import { sql } from 'kysely'
import type { UsageProperties } from '#domain/usage-filter.ts'
import { plainArray, textArray } from './array-text.ts'
import type { Db } from './database.ts'
import { newIds } from './identifier.ts'
import type { HeldLine } from './usage-line.ts'

export interface NewUsageEvent {
  readonly source: string
  readonly eventId: string
  readonly subscriptionId: string
  readonly metric: string
  /** Decimal; below 0 where it reverses another event. */
  readonly quantity: string
  readonly unit: string
  /** In milliseconds: windows are cut by them, a finer instant could fall between two. */
  readonly occurredMs: number
  /** The sender named no instant: it is when the event came, and sent again it is another. */
  readonly isInstantOfArrival?: boolean
  readonly properties?: UsageProperties | null
  /** Row of the event of which it takes back a part or all. */
  readonly reversesId?: string | null
  /** The beginning of a span over which it was used. */
  readonly startedMs?: number | null
}

export type UsageEventResult = 'stored' | 'duplicate' | 'conflict'

interface Row extends NewUsageEvent {
  readonly id: string
  /** Place in what the caller gave. */
  readonly index: number
}

/**
 * Stores pushed amounts, any number by few statements, in the caller's transaction, which holds bills off (`holdUsageLines`):
 * what comes after its window was billed is marked late, and the next invoice bills it. The same source and id again is a
 * duplicate; with other content it is a conflict, and nothing of it is kept.
 * @param now of each subscription, as an ISO instant
 * @returns in the order of the events
 */
export async function storeUsageEvents(
  tx: Db,
  events: readonly NewUsageEvent[],
  held: ReadonlyMap<string, readonly HeldLine[]>,
  now: (subscriptionId: string) => string,
): Promise<UsageEventResult[]> {
  if (events.length === 0) return []
  const ids = newIds(events.length)
  // In one order for all: two callers with the same events never wait for each other.
  const rows = events.map((event, index): Row => ({ ...event, index, id: ids[index] ?? '' })).toSorted(byName)
  const columns = columnsOf(rows)
  const results = events.map((): UsageEventResult => 'stored')
  if ((await insertRows(tx, columns)) < rows.length) {
    for (const { index, is_conflict: isConflict } of await findKnown(tx, columns, rows))
      results[index] = isConflict ? 'conflict' : 'duplicate'
  }
  const stored = rows.filter(({ index }) => results[index] === 'stored')
  await markLate(tx, stored, held)
  await noteUsageAfterEnd(tx, stored, { held, now })
  return results
}

function byName(one: Row, other: Row): number {
  if (one.source !== other.source) return one.source < other.source ? -1 : 1
  if (one.eventId !== other.eventId) return one.eventId < other.eventId ? -1 : 1
  return one.index - other.index
}

/** One array a column: a statement of any number of rows has the same few parameters. */
function columnsOf(rows: readonly Row[]) {
  const hasProperties = rows.some(({ properties }) => properties != null)
  const hasReversals = rows.some(({ reversesId }) => reversesId != null)
  const hasSpans = rows.some(({ startedMs }) => startedMs != null)
  const toJson = ({ properties }: Row) => (properties == null ? null : JSON.stringify(properties))
  // What no row has is one row shorter than none: the missing ones are null.
  return sql`${plainArray(rows.map(({ id }) => id))}::uuid[], ${textArray(rows.map(({ source }) => source))}::text[],
    ${textArray(rows.map(({ eventId }) => eventId))}::text[],
    ${plainArray(rows.map(({ subscriptionId }) => subscriptionId))}::uuid[],
    ${textArray(rows.map(({ metric }) => metric))}::text[],
    ${plainArray(rows.map(({ quantity }) => quantity))}::numeric[], ${textArray(rows.map(({ unit }) => unit))}::text[],
    ${plainArray(rows.map(({ occurredMs }) => occurredMs))}::bigint[],
    ${textArray(hasProperties ? rows.map(toJson) : [])}::jsonb[],
    ${textArray(hasReversals ? rows.map(({ reversesId }) => reversesId ?? null) : [])}::uuid[],
    ${textArray(hasSpans ? rows.map(({ startedMs }) => (startedMs == null ? null : String(startedMs))) : [])}::bigint[]`
}

const columnNames = sql`id, source, event_id, subscription_id, metric, quantity, unit, occurred_ms, properties, reverses_id, started_ms`
/** Exact: a factor of a whole number of milliseconds. */
const occurredAt = sql`timestamptz 'epoch' + occurred_ms * interval '1 millisecond'`
const startedAt = sql`timestamptz 'epoch' + started_ms * interval '1 millisecond'`

/** @returns how many there were not yet */
async function insertRows(tx: Db, columns: ReturnType<typeof columnsOf>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with inserted as (
      insert into usage_events (id, source, event_id, subscription_id, metric, quantity, unit, occurred_at, properties, reverses_id, started_at)
      select id, source, event_id, subscription_id, metric, quantity, unit, ${occurredAt}, properties, reverses_id, ${startedAt}
      from unnest(${columns}) as given (${columnNames})
      on conflict (source, event_id) do nothing
      returning 1
    ) select count(*) as count from inserted`.execute(tx)
  return rows[0]?.count ?? 0
}

/** The places of those that were there before, and whether with other content. */
async function findKnown(
  tx: Db,
  columns: ReturnType<typeof columnsOf>,
  rows: readonly Row[],
): Promise<{ index: number; is_conflict: boolean }[]> {
  const { rows: known } = await sql<{ index: number; is_conflict: boolean }>`
    select given.index, kept.subscription_id <> given.subscription_id or kept.metric <> given.metric
      or kept.quantity <> given.quantity or kept.unit <> given.unit
      or kept.properties is distinct from given.properties or kept.reverses_id is distinct from given.reverses_id
      or kept.started_at is distinct from ${startedAt}
      or (kept.occurred_at <> ${occurredAt} and not given.is_instant_of_arrival) as is_conflict
    from unnest(${columns}, ${plainArray(rows.map((row) => row.index))}::int[],
        ${plainArray(rows.map((row) => row.isInstantOfArrival === true))}::boolean[])
      as given (${columnNames}, index, is_instant_of_arrival)
    join usage_events kept using (source, event_id)
    where kept.id <> given.id`.execute(tx)
  return known
}

/** An event as it was sent, of a subscription that is known; null is what it leaves to be found. */
export interface SentName extends Pick<
  NewUsageEvent,
  'source' | 'eventId' | 'subscriptionId' | 'metric' | 'quantity'
> {
  readonly unit: string | null
  readonly occurredMs: number | null
  /** By which the caller knows it. */
  readonly index: number
}

/** Which of some events were stored before as they are sent now. @returns their indexes */
export async function findStoredBefore(tx: Db, sent: readonly SentName[]): Promise<ReadonlySet<number>> {
  if (sent.length === 0) return new Set()
  const ofAll = (column: (event: SentName) => string | null) => textArray(sent.map(column))
  const { rows } = await sql<{ index: number; unit: string }>`
    select given.index, kept.unit
    from unnest(${plainArray(sent.map(({ index }) => index))}::int[],
        ${ofAll(({ source }) => source)}::text[], ${ofAll(({ eventId }) => eventId)}::text[],
        ${ofAll(({ subscriptionId }) => subscriptionId)}::uuid[], ${ofAll(({ metric }) => metric)}::text[],
        ${ofAll(({ quantity }) => quantity)}::numeric[],
        ${ofAll(({ occurredMs }) => (occurredMs === null ? null : String(occurredMs)))}::bigint[])
      as given (index, source, event_id, subscription_id, metric, quantity, occurred_ms)
    join usage_events kept using (source, event_id)
    where (kept.subscription_id, kept.metric, kept.quantity) = (given.subscription_id, given.metric, given.quantity)
      and kept.occurred_at = coalesce(${occurredAt}, kept.occurred_at)`.execute(tx)
  // A unit may be a text that no database takes: it is compared here.
  const units = new Map(sent.map(({ index, unit }) => [index, unit]))
  const isSame = ({ index, unit }: (typeof rows)[number]) => (units.get(index) ?? unit) === unit
  return new Set(rows.filter(isSame).map(({ index }) => index))
}

/** What lies in a window that was billed already: the next invoice of its line bills it, as late. For other lines it may be in time. */
async function markLate(
  tx: Db,
  stored: readonly Row[],
  held: ReadonlyMap<string, readonly HeldLine[]>,
): Promise<void> {
  const isPerhapsLate = ({ subscriptionId, occurredMs }: Row) =>
    (held.get(subscriptionId) ?? []).some(
      ({ billedUntilMs }) => billedUntilMs !== null && occurredMs <= billedUntilMs,
    )
  const perhaps = stored.filter(isPerhapsLate)
  if (perhaps.length === 0) return
  await sql`
    with late as (
      insert into late_usage_events (usage_event_id, subscription_line_id)
      select distinct event.id, line.id
      from usage_events event
      join subscription_lines line on line.subscription_id = event.subscription_id
        and takes_usage(line.terms -> 'usageFilter', event.properties)
      join usage_windows frozen on frozen.subscription_line_id = line.id and frozen.metric = event.metric and not frozen.is_late
        and lower(frozen.window_period) < event.occurred_at and event.occurred_at <= upper(frozen.window_period)
      where event.id = any(${plainArray(perhaps.map(({ id }) => id))}::uuid[])
      returning usage_event_id
    )
    update usage_events set is_late = true where id in (select usage_event_id from late)`.execute(tx)
}

/** After the last bill nobody would look for it: of a subscription whose service has ended it is noted (`billLateUsage`). */
async function noteUsageAfterEnd(
  tx: Db,
  stored: readonly Row[],
  context: { held: ReadonlyMap<string, readonly HeldLine[]>; now: (subscriptionId: string) => string },
): Promise<void> {
  const ending = [...new Set(stored.map((row) => row.subscriptionId))].filter((id) =>
    context.held.get(id)?.some(({ hasEnd }) => hasEnd),
  )
  if (ending.length === 0) return
  await sql`
    update subscriptions subscription set late_usage_at = given.now
    from unnest(${ending}::uuid[], ${ending.map(context.now)}::timestamptz[]) as given (id, now), customers
    where subscription.id = given.id and customers.id = subscription.customer_id
      and subscription.ends_on <= (given.now at time zone customers.time_zone)::date`.execute(tx)
}
