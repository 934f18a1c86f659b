import { sql, type RawBuilder } from 'kysely'
import type { Reading } from '#domain/usage.ts'
import type { Db } from './database.ts'

/**
 * Where readings lie: those of the last weeks one row each, older ones many to a row of `reading_hours`. What is rolled up lies
 * in both until its partition is dropped, and counts as its hours say. Each fragment is a `select` of `value`,
 * `is_opening`, `read_at` and `sampled_at` over one series, for use in a lateral join.
 */

/** What counts as raw still: one look at the row that says so, in the snapshot of the statement. */
const isRaw = sql`sampled_at >= (select rolled_up_to from reading_store)`

/** After `begins` and up to `until`, in no order. */
export function readingsInside(
  seriesId: RawBuilder<unknown>,
  begins: RawBuilder<unknown>,
  until: RawBuilder<unknown>,
) {
  return sql`
    select value, is_opening, read_at, sampled_at from reading_values
    where series_id = ${seriesId} and read_at > ${begins} and read_at <= ${until} and ${isRaw}
    union all
    select ${ofHour} from reading_hours hour, ${unnested}
    where hour.series_id = ${seriesId} and hour.starts_at > ${begins} - interval '1 hour' and hour.starts_at <= ${until}
      and one.read_at > ${begins} and one.read_at <= ${until}`
}

/** The newest at `begins` or before it, from which growth is counted. */
export function readingBefore(seriesId: RawBuilder<unknown>, begins: RawBuilder<unknown>) {
  return sql`
    select value, is_opening, read_at, sampled_at from (
      (select value, is_opening, read_at, sampled_at from reading_values
        where series_id = ${seriesId} and read_at <= ${begins} and ${isRaw}
        order by read_at desc, sampled_at desc limit 1)
      union all
      (select ${ofHour} from reading_hours hour, ${unnested}
        where hour.series_id = ${seriesId} and hour.starts_at <= ${begins} and one.read_at <= ${begins}
        order by hour.starts_at desc, one.read_at desc, coalesce(one.sampled_at, one.read_at) desc limit 1)
    ) newest order by read_at desc, sampled_at desc limit 1`
}

const ofHour = sql`one.value, coalesce(one.is_opening, false) as is_opening, one.read_at,
  coalesce(one.sampled_at, one.read_at) as sampled_at`
const unnested = sql`unnest(hour.read_values, hour.openings, hour.read_ats, hour.sampled_ats)
  as one (value, is_opening, read_at, sampled_at)`

/** One row where the series was read at `at` or later. */
export function isReadFrom(seriesId: RawBuilder<unknown>, at: RawBuilder<unknown>) {
  return sql`
    (select from reading_values where series_id = ${seriesId} and read_at >= ${at} and ${isRaw} limit 1)
    union all
    (select from reading_hours hour, ${unnested}
      where hour.series_id = ${seriesId} and hour.starts_at > ${at} - interval '1 hour' and one.read_at >= ${at} limit 1)
    limit 1`
}

/** When the series was first read at `at` or later. */
export function firstReadFrom(seriesId: RawBuilder<unknown>, at: RawBuilder<unknown>) {
  return sql`
    select min(read_at) as read_at from (
      (select read_at from reading_values where series_id = ${seriesId} and read_at >= ${at} and ${isRaw}
        order by read_at limit 1)
      union all
      (select one.read_at from reading_hours hour, ${unnested}
        where hour.series_id = ${seriesId} and hour.starts_at > ${at} - interval '1 hour' and one.read_at >= ${at}
        order by hour.starts_at, one.read_at limit 1)
    ) first`
}

interface ReadingRow {
  readonly index: number
  readonly series: string
  readonly value: string
  readonly unit: string
  readonly is_opening: boolean
  readonly read_at: string
  readonly sampled_at: string
}

/** Readings of each window, and before them the newest of each series before it. In the order of time. */
export async function readReadings(
  db: Db,
  questions: readonly {
    readonly index: number
    readonly instanceId: string | null
    readonly metric: string
    readonly window: { readonly start: string }
    readonly until: string
  }[],
): Promise<ReadonlyMap<number, Reading[]>> {
  const metered = questions.filter(({ instanceId }) => instanceId !== null)
  if (metered.length === 0) return new Map()
  const { rows } = await sql<ReadingRow>`
    select asked.index, series.series, read.value, series.unit, read.is_opening, read.read_at, read.sampled_at
    from unnest(${metered.map(({ index }) => index)}::integer[],
      ${metered.map(({ instanceId }) => instanceId)}::uuid[], ${metered.map(({ metric }) => metric)}::text[],
      ${metered.map(({ window }) => window.start)}::timestamptz[], ${metered.map(({ until }) => until)}::timestamptz[])
      as asked (index, instance_id, metric, begins, until)
    join reading_series series on series.instance_id = asked.instance_id and series.metric = asked.metric
    cross join lateral (
      (${readingBefore(sql`series.id`, sql`asked.begins`)})
      union all
      (${readingsInside(sql`series.id`, sql`asked.begins`, sql`asked.until`)})
    ) read
    order by asked.index, read.read_at, read.sampled_at, series.id`.execute(db)
  return groupByIndex(rows, (row) => ({
    series: row.series,
    value: row.value,
    unit: row.unit,
    isOpening: row.is_opening,
    readAt: row.read_at,
    sampledAt: row.sampled_at,
  }))
}

export function groupByIndex<Row extends { readonly index: number }, Value>(
  rows: readonly Row[],
  toValue: (row: Row) => Value,
): ReadonlyMap<number, Value[]> {
  const groups = new Map<number, Value[]>()
  for (const row of rows) {
    const group = groups.get(row.index)
    if (group) group.push(toValue(row))
    else groups.set(row.index, [toValue(row)])
  }
  return groups
}
