import Big from 'big.js'
import { sql } from 'kysely'
import { addDays, startOfDay } from '#domain/calendar.ts'
import { convertUnit } from '#domain/unit.ts'
import type { UsageCondition } from '#domain/usage-filter.ts'
import type { Db } from '../database.ts'
import { never } from '../pushed-usage.ts'
import { firstReadFrom, readingBefore, readingsInside } from '../stored-reading.ts'

/** A billed quantity, with whose it is and up to where it reaches. */
export interface OpenedWindow {
  readonly id: string
  readonly metric: string
  readonly quantity: string
  readonly unit: string
  readonly reading_count: number
  readonly event_count: number
  readonly first_read_at: string | null
  readonly last_read_at: string | null
  readonly is_late: boolean
  readonly is_pending: boolean
  readonly starts_at: string
  readonly ends_at: string
  readonly subscription_id: string
  readonly subscription_line_id: string
  readonly instance_id: string | null
  readonly invoice_id: string
  readonly invoice_number: string | null
  readonly description: string
  readonly time_zone: string
  readonly is_counter: boolean
  /** How its quantity comes of what was read: `sum`, `max`, `sum, rounded`, `formula: …`. */
  readonly quantity_is: string
  /** What its line takes of the metric; null: everything. */
  readonly usage_filter: readonly UsageCondition[] | null
  /** After this instant, and up to the other; null where it is the last of its line. */
  readonly read_from: string
  readonly read_until: string | null
}

/**
 * Of a late window the readings are those of the window that it is late for: all of them were measured anew, and where that one
 * was pending, those up to the first after it.
 */
export async function findUsageWindow(db: Db, id: string): Promise<OpenedWindow | null> {
  const { rows } = await sql<OpenedWindow>`
    select opened.*, lower(opened.window_period) as starts_at, upper(opened.window_period) as ends_at, line.subscription_id,
      line.terms -> 'usageFilter' as usage_filter, line.instance_id, billed.invoice_id, billed.description, invoice.number as invoice_number,
      coalesce(document.time_zone, customer.time_zone) as time_zone, kind.is_counter,
      coalesce('formula: ' || (line.terms ->> 'quantityFormula'),
        kind.aggregation || case when kind.is_rounded then ', rounded' else '' end) as quantity_is,
      coalesce(bounds.read_from, lower(opened.window_period)) as read_from,
      case when closing.is_closing then null else coalesce(bounds.read_until, upper(opened.window_period)) end as read_until
    from usage_windows opened
    join subscription_lines line on line.id = opened.subscription_line_id
    join subscriptions subscription on subscription.id = line.subscription_id
    join customers customer on customer.id = subscription.customer_id
    left join subscription_documents document on document.id = line.document_id
    cross join lateral (
      select * from invoice_lines where subscription_line_id = line.id and usage_window_id = opened.id
      order by revision desc limit 1
    ) billed
    join invoices invoice on invoice.id = billed.invoice_id
    cross join lateral (
      select coalesce(bool_and(defined.metric ->> 'kind' = 'counter'), true) as is_counter,
        coalesce(max(defined.metric ->> 'aggregation'), 'sum') as aggregation,
        coalesce(bool_or(defined.metric -> 'rounding' is not null), false) as is_rounded
      from instances join application_versions version on version.id = instances.application_version_id
      cross join jsonb_array_elements(version.definition -> 'metrics') as defined (metric)
      where instances.id = line.instance_id and defined.metric ->> 'code' = opened.metric
    ) kind
    cross join lateral (
      select coalesce(upper(billed.service_period) = line.ends_on and line.ends_on >= subscription.ends_on, false) as is_closing
    ) closing
    cross join lateral (
      select max(next.read_at) filter (where upper(frozen.window_period) = lower(opened.window_period)) as read_from,
        max(next.read_at) filter (where upper(frozen.window_period) = upper(opened.window_period) and opened.is_late) as read_until
      from usage_windows frozen
      join subscription_lines other on other.id = frozen.subscription_line_id and other.instance_id = line.instance_id
      cross join lateral (
        select min(read.read_at) as read_at from reading_series series
        cross join lateral (${firstReadFrom(sql`series.id`, sql`upper(frozen.window_period)`)}) read
        where series.instance_id = line.instance_id and series.metric = opened.metric
      ) next
      where kind.is_counter and frozen.is_pending and frozen.metric = opened.metric
        and upper(frozen.window_period) in (lower(opened.window_period), upper(opened.window_period))
    ) bounds
    where opened.id = ${id}`.execute(db)
  return rows[0] ?? null
}

/** A day of a window: as the window, without its first moment and with its last. */
export interface WindowDay {
  readonly on: string
  readonly readings: number
  readonly events: number
  /** What a counter grew by, in the window's unit; null for a gauge. */
  readonly counted: string | null
}

/** Days of which anything was read or pushed, in their order. */
export async function listWindowDays(db: Db, window: OpenedWindow): Promise<WindowDay[]> {
  const { rows: read } = await sql<{ on: string; unit: string; readings: number; counted: string }>`
    select ${dayOf(window, 'read_at')} as on, unit, count(*)::integer as readings, sum(counted) as counted
    from (${countedReadings(window, { from: window.read_from, until: window.read_until })}) as read
    group by 1, 2 order by 1`.execute(db)
  const { rows: pushed } = await sql<{ on: string; events: number }>`
    select ${dayOf(window, 'occurred_at')} as on, count(*)::integer as events
    from (${eventsOf(window)}) as event group by 1 order by 1`.execute(db)
  const days = new Set([...read, ...pushed].map(({ on }) => on).toSorted())
  return [...days].map((on) => {
    const ofDay = read.filter((row) => row.on === on)
    const counted = ofDay.map((row) => convertUnit(new Big(row.counted), row.unit, window.unit))
    return {
      on,
      readings: ofDay.reduce((sum, row) => sum + row.readings, 0),
      events: pushed.find((row) => row.on === on)?.events ?? 0,
      counted: window.is_counter ? counted.reduce((sum, one) => sum.plus(one), new Big(0)).toFixed() : null,
    }
  })
}

export interface WindowReading {
  readonly series: string
  readonly value: string
  readonly unit: string
  readonly is_opening: boolean
  readonly read_at: string
  /** What a counter grew by since the reading before, in the window's unit; null for a gauge. */
  readonly counted: string | null
}

/** More than any day has that is read every 30 seconds. */
const mostRows = 20_000

/** The readings of a window on a day, or all of them, in the order of time. */
export async function listWindowReadings(
  db: Db,
  window: OpenedWindow,
  on: string | undefined,
): Promise<WindowReading[]> {
  const { from, until } =
    on === undefined ? { from: window.read_from, until: window.read_until } : dayWithin(window, on)
  const { rows } = await sql<WindowReading & { counted: string }>`
    select * from (${countedReadings(window, { from, until })}) as read
    order by read_at, sampled_at, series limit ${mostRows}`.execute(db)
  return rows.map(({ series, value, unit, is_opening, read_at, counted }) => ({
    series,
    value,
    unit,
    is_opening,
    read_at,
    counted: window.is_counter ? convertUnit(new Big(counted), unit, window.unit).toFixed() : null,
  }))
}

export interface WindowEvent {
  readonly source: string
  readonly event_id: string
  readonly quantity: string
  readonly unit: string
  readonly occurred_at: string
  readonly received_at: string
}

/** The pushed amounts of a window on a day, or all of them, in the order of time. */
export async function listWindowEvents(
  db: Db,
  window: OpenedWindow,
  on: string | undefined,
): Promise<WindowEvent[]> {
  const { rows } = await sql<WindowEvent>`
    select source, event_id, quantity, unit, occurred_at, received_at from (${eventsOf(window)}) as event
    where ${on ?? null}::date is null or ${dayOf(window, 'occurred_at')} = ${on ?? null}::date
    order by occurred_at, id limit ${mostRows}`.execute(db)
  return rows
}

function dayOf({ time_zone: timeZone }: OpenedWindow, column: 'read_at' | 'occurred_at') {
  return sql<string>`((${sql.ref(column)} - interval '1 microsecond') at time zone ${timeZone}::text)::date`
}

/** What of a day, by the time zone of the document, is in the window: after an instant, and up to the other. */
export function dayWithin(window: OpenedWindow, on: string): { from: string; until: string } {
  const starts = startOfDay(window.time_zone, on)
  const ends = startOfDay(window.time_zone, addDays(on, 1))
  const { read_from: from, read_until: until } = window
  return {
    from: Date.parse(starts) < Date.parse(from) ? from : starts,
    until: until !== null && Date.parse(until) < Date.parse(ends) ? until : ends,
  }
}

/** Each reading with what it counts, which takes the one before it of its series. */
export function countedReadings(
  window: OpenedWindow,
  { from, until }: { from: string; until: string | null },
) {
  const begins = sql`${from}::timestamptz`
  return sql`
    select * from (
      select series.id as series_id, series.series, series.unit, read.*, case when read.is_opening then 0
          when read.value >= lag(read.value) over each then read.value - lag(read.value) over each else read.value end as counted
      from reading_series series
      cross join lateral (
        (${readingBefore(sql`series.id`, begins)})
        union all
        (${readingsInside(sql`series.id`, begins, sql`${until ?? never}::timestamptz`)})
      ) read
      where series.instance_id = ${window.instance_id}::uuid and series.metric = ${window.metric}
        and takes_usage(${filterOf(window)}::jsonb, jsonb_build_object('series', series.series))
      window each as (partition by series.id order by read.read_at, read.sampled_at)
    ) as counted where read_at > ${begins}`
}

/** Those that were there when it was billed; of a late window those that it bills. */
export function eventsOf(window: OpenedWindow) {
  const {
    id,
    metric,
    subscription_id: subscriptionId,
    subscription_line_id: lineId,
    is_late: isLate,
  } = window
  const { starts_at: startsAt, ends_at: endsAt, read_until: readUntil } = window
  if (isLate)
    return sql`select * from usage_events where id in (select usage_event_id from late_usage_events where usage_window_id = ${id})`
  return sql`
    select * from usage_events where subscription_id = ${subscriptionId} and metric = ${metric}
      and not (is_late and exists (select from late_usage_events late where usage_event_id = usage_events.id and subscription_line_id = ${lineId}))
      and occurred_at > ${startsAt} and (${readUntil === null} or occurred_at <= ${endsAt})
      and takes_usage(${filterOf(window)}::jsonb, properties)`
}

/** As `takes_usage` reads it. */
function filterOf({ usage_filter: filter }: OpenedWindow): string | null {
  return filter === null ? null : JSON.stringify(filter)
}
