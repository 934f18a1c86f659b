import { sql } from 'kysely'
import type { UsageProperties } from '#domain/usage-filter.ts'
import type { Db } from '../database.ts'
import { readingBefore } from '../stored-reading.ts'

/** Where a reader of the feed stands: after what was recorded at an instant under a name. */
export interface FeedPlace {
  readonly at: string
  /** Empty: before all of the instant. */
  readonly name: string
}

/** What was used by a customer's subscriptions that another system bills, as an event that it can take as it is. */
export interface FedUsage {
  /** With its microseconds. */
  readonly recorded_at: string
  readonly name: string
  /** Of a pushed event; null of a reading. */
  readonly source: string | null
  readonly instance_id: string | null
  readonly event_id: string
  readonly subscription_id: string
  readonly external_id: string | null
  readonly metric: string
  readonly quantity: string
  readonly unit: string
  readonly occurred_at: string
  readonly started_at: string | null
  readonly properties: UsageProperties | null
  /** Event id of the one of its source that it reverses. */
  readonly reverses: string | null
}

/**
 * Readings and pushed events in the order in which they were recorded. A reading of a counter is what it grew by since the one
 * before, of a gauge the value in force from then on, all series of the moment together. Each has one name for ever, so that
 * whoever reads twice counts once.
 */
export async function readUsageFeed(
  db: Db,
  of: { readonly customerId: string; readonly after: FeedPlace; readonly limit: number },
): Promise<FedUsage[]> {
  const { customerId, after, limit } = of
  const from = sql`${after.at}::timestamptz`
  const { rows } = await sql<FedUsage>`
    with sold as materialized (
      select id, external_id from subscriptions where customer_id = ${customerId} and is_billed_elsewhere
    ), series as materialized (
      select series.id, series.unit, series.metric, instance.id as instance_id, sold.id as subscription_id,
        exists (select from jsonb_array_elements(version.definition -> 'metrics') as defined (metric)
          where defined.metric ->> 'code' = series.metric and defined.metric ->> 'kind' = 'gauge') as is_gauge
      from sold join instances instance on instance.subscription_id = sold.id
      join application_versions version on version.id = instance.application_version_id
      join reading_series series on series.instance_id = instance.id
    ), used as (
      select read.read_at as recorded_at, 'reading/' || series.id || '/' || ${stamp(sql`read.read_at`)} as event_id,
        series.instance_id, null::text as source, series.subscription_id, series.metric, series.unit,
        case when read.is_opening then 0 when read.value >= prior.value then read.value - prior.value else read.value end as quantity,
        read.read_at as occurred_at, null::timestamptz as started_at, null::jsonb as properties, null::text as reverses, true as is_growth
      from series
      join reading_values read on read.series_id = series.id and read.read_at >= ${from} and read.sampled_at >= ${from}
      left join lateral (${readingBefore(sql`series.id`, sql`read.read_at - interval '1 microsecond'`)}) prior on true
      where not series.is_gauge
      union all
      select read.read_at, 'gauge/' || series.metric || '/' || series.unit || '/' || ${stamp(sql`read.read_at`)},
        series.instance_id, null, series.subscription_id, series.metric, series.unit, sum(read.value), read.read_at, null, null, null, false
      from series
      join reading_values read on read.series_id = series.id and read.read_at >= ${from} and read.sampled_at >= ${from}
      where series.is_gauge
      group by series.instance_id, series.subscription_id, series.metric, series.unit, read.read_at
      union all
      select event.received_at, event.event_id, null, event.source, event.subscription_id, event.metric, event.unit, event.quantity,
        event.occurred_at, event.started_at, event.properties, reversed.event_id, false
      from sold join usage_events event on event.subscription_id = sold.id
      left join usage_events reversed on reversed.id = event.reverses_id
      where event.received_at >= ${from} and event.id >= ${earliestId(after.at)}::uuid
    ), named as (
      select used.*, coalesce(used.source, used.instance_id::text) || ' ' || used.event_id as name from used
      where used.quantity <> 0 or not used.is_growth
    )
    select named.*, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded_at, trim_scale(round(named.quantity, 10))::text as quantity, sold.external_id
    from named join sold on sold.id = named.subscription_id
    where (named.recorded_at, name collate "C") > (${from}, ${after.name}::text collate "C")
    order by named.recorded_at, name collate "C" limit ${limit}`.execute(db)
  return rows
}

/**
 * From where a reader goes on who has read all: not beyond what may still come of what was read late. What a metric did not give
 * is looked for again, two days at most.
 */
export async function readFeedResumption(db: Db, customerId: string, now: string): Promise<string> {
  const { rows } = await sql<{ at: string }>`
    select greatest(least(${now}::timestamptz - interval '10 minutes', min(newest.read_at)), ${now}::timestamptz - interval '2 days') as at
    from (
      select max((select max(read_at) from reading_values where series_id = series.id)) as read_at
      from subscriptions sold join instances instance on instance.subscription_id = sold.id and instance.state in ('running', 'limited')
      join reading_series series on series.instance_id = instance.id
      where sold.customer_id = ${customerId} and sold.is_billed_elsewhere
      group by instance.id, series.metric
    ) newest`.execute(db)
  return rows[0]?.at ?? now
}

function stamp(instant: ReturnType<typeof sql>) {
  return sql`to_char(${instant} at time zone 'UTC', 'YYYYMMDDHH24MISSUS')`
}

const slackMs = 3_600_000

/** Ids begin with the milliseconds of their making: by them rows of long ago are passed by. */
function earliestId(at: string): string {
  const time = Math.max(0, Date.parse(at) - slackMs)
    .toString(16)
    .padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
