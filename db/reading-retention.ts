import { sql } from 'kysely'
import { addDays } from '#domain/calendar.ts'
import type { Db, Tx } from './database.ts'

export interface ReadingCleanUp {
  /** Readings that lie in hours from now on. */
  readonly rolledUp: number
  /** Partitions of a week that were dropped. */
  readonly dropped: readonly string[]
  /** Hours that nothing needs any more. */
  readonly expired: number
}

/**
 * Keeps what is stored of readings flat, while everything measured stays the same (decision 0048): makes the weeks to come, rolls
 * up what is old, drops what was rolled up before this run, and removes hours that are past their time and that nothing needs.
 * It may be ended anywhere and begun again.
 */
export async function cleanUpReadings(db: Db, now: string): Promise<ReadingCleanUp> {
  await makeWeeks(db, now)
  const { rolled_up_to: before } = await db
    .selectFrom('reading_store')
    .select('rolled_up_to')
    .executeTakeFirstOrThrow()
  const rolledUp = await rollUpReadings(db, now)
  return { rolledUp, dropped: await dropRolledUp(db, before), expired: await removeExpiredHours(db, now) }
}

const weeksAhead = 3

/** Where some of a week lies in the rest already, because its partition was not made in time, all of it lies there. */
async function makeWeeks(db: Db, now: string): Promise<void> {
  const { rows } = await sql<{ starts_on: string }>`
    select starts_on::text as starts_on from (
      select (date_trunc('week', ${now}::timestamptz, 'UTC') at time zone 'UTC')::date + 7 * week as starts_on
      from generate_series(0, ${weeksAhead - 1}) week
    ) weeks
    where to_regclass('reading_values_' || to_char(starts_on, 'YYYYMMDD')) is null and not exists (
      select from reading_values_rest where sampled_at >= starts_on::timestamp at time zone 'UTC'
        and sampled_at < (starts_on + 7)::timestamp at time zone 'UTC')`.execute(db)
  for (const { starts_on: startsOn } of rows)
    await sql`create table if not exists ${sql.table(`reading_values_${startsOn.replaceAll('-', '')}`)}
      partition of reading_values for values from (${sql.lit(`${startsOn}T00:00:00Z`)}) to (${sql.lit(
        `${addDays(startsOn, 7)}T00:00:00Z`,
      )})`.execute(db)
}

/** What counts as its hours say since an earlier run: nobody looks at it by a snapshot of the time before. */
async function dropRolledUp(db: Db, before: string): Promise<string[]> {
  await inBatches(
    db,
    sql`delete from reading_values_rest where ctid = any(array(
      select ctid from reading_values_rest where sampled_at < ${before} limit ${batchRows}))`,
  )
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'reading_values'::regclass and relname ~ '_\\d{8}$'
      and to_date(right(relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' + interval '7 days' <= ${before}
    order by relname`.execute(db)
  for (const { name } of rows) await sql`drop table ${sql.table(name)}`.execute(db)
  return rows.map(({ name }) => name)
}

const batchRows = 20_000

async function inBatches(db: Db, statement: ReturnType<typeof sql>): Promise<number> {
  for (let total = 0; ;) {
    const { numAffectedRows = 0n } = await statement.execute(db)
    if (numAffectedRows === 0n) return total
    total += Number(numAffectedRows)
  }
}

/** After a window ended something may still be late for it so long: longer than any event is accepted. */
const lateMonths = 4

/** The next bill of its line looks at all of the window, and that may be a year away. */
const isToBeMeasured = sql`(exists (select from unsettled_windows where usage_window_id = frozen.id)
  or exists (select from late_usage_events late join usage_events event on event.id = late.usage_event_id
    where late.subscription_line_id = line.id and late.usage_window_id is null
      and event.metric = frozen.metric and event.occurred_at > lower(frozen.window_period)
      and event.occurred_at <= upper(frozen.window_period)))`

/**
 * From when on hours of each instance are needed: where a line of it may still be measured from them, back to the end of what was
 * billed of it last, to the beginning of a window that something may be late for or that waits to be measured anew, and for one
 * interval of a line that recurs more rarely. A line without a day of service, left on its first day by a change of plan, is never
 * billed, and needs none.
 */
function neededHours(now: string) {
  return sql`
    select instance.id as instance_id, instance.destroyed_at, least(
        ${now}::timestamptz - (select hourly_months from reading_store) * interval '1 month', min(line.needed_from)) as needed_from
    from instances instance
    left join lateral (
      select least(
          case when line.interval_count is null then 'infinity' else ${now}::timestamptz - interval '2 months'
            - line.interval_count * ('1 ' || line.interval_unit)::interval end,
          case when line.metric is null or line.ends_on <= line.starts_on then 'infinity' when billed.until is null then '-infinity'
            when line.ends_on::timestamp at time zone 'UTC' <= billed.until + interval '1 day' then 'infinity' else billed.until end,
          billed.late_from) as needed_from
      from subscription_lines line
      cross join lateral (
        select max(upper(window_period)) as until,
          min(lower(window_period)) filter (where upper(window_period) > ${now}::timestamptz - ${lateMonths} * interval '1 month'
            or instance.destroyed_at is null and ${isToBeMeasured}) as late_from
        from usage_windows frozen where subscription_line_id = line.id
      ) billed
      where line.instance_id = instance.id
    ) line on true
    group by instance.id`
}

/** The last hour of a series stays as long as its instance: the next step of a counter begins there. */
async function removeExpiredHours(db: Db, now: string): Promise<number> {
  const removed = await inBatches(
    db,
    sql`
    with needed as materialized (${neededHours(now)})
    delete from reading_hours where ctid = any(array(
      select hour.ctid
      from reading_hours hour
      join reading_series series on series.id = hour.series_id
      join needed on needed.instance_id = series.instance_id
      where hour.starts_at <= needed.needed_from - interval '1 hour' and (needed.destroyed_at < needed.needed_from or exists (
        select from reading_hours later where later.series_id = hour.series_id and later.starts_at > hour.starts_at
          and later.starts_at <= needed.needed_from - interval '1 hour'))
      limit ${batchRows}))`,
  )
  await sql`
    delete from reading_series series using instances instance
    where instance.id = series.instance_id and instance.state = 'destroyed'
      and not exists (select from reading_values where series_id = series.id)
      and not exists (select from reading_hours where series_id = series.id)`.execute(db)
  return removed
}

/** Days of readings that are rolled up in one transaction: what one statement can do in its time. */
const stepDays = 1

/**
 * Rolls up what is older than raw readings are kept: every reading of a series in an hour becomes one row, which holds all of
 * them, so that whatever is measured of it later comes out the same. It counts as its hours say from the same transaction on.
 * @returns how many readings were rolled up
 */
export async function rollUpReadings(db: Db, now: string): Promise<number> {
  for (let total = 0; ;) {
    const count = await db.transaction().execute(async (tx) => rollUpNext(tx, now))
    if (count === null) return total
    total += count
  }
}

/** @returns null where nothing is old enough */
async function rollUpNext(tx: Tx, now: string): Promise<number | null> {
  await sql`set local statement_timeout = '10min'`.execute(tx)
  const { rows } = await sql<{ since: string; up_to: string }>`
    select rolled_up_to as since, least(
        date_trunc('day', ${now}::timestamptz - raw_days * interval '1 day', 'UTC'),
        (select date_trunc('day', min(sampled_at), 'UTC') from reading_values where sampled_at >= rolled_up_to)
          + ${stepDays} * interval '1 day') as up_to
    from reading_store for update`.execute(tx)
  const [step] = rows
  if (step === undefined || Date.parse(step.up_to) <= Date.parse(step.since)) return null
  const { rows: made } = await sql<{ count: number }>`
    with made as (
      insert into reading_hours (series_id, starts_at, rolled_up_to, reading_count, read_ats, sampled_ats, read_values, openings)
      select series_id, date_trunc('hour', read_at, 'UTC'), ${step.up_to}, count(*),
        array_agg(read_at order by read_at, sampled_at),
        case when bool_or(sampled_at <> read_at) then array_agg(sampled_at order by read_at, sampled_at) end,
        array_agg(value order by read_at, sampled_at),
        case when bool_or(is_opening) then array_agg(is_opening order by read_at, sampled_at) end
      from reading_values where sampled_at >= ${step.since} and sampled_at < ${step.up_to}
      group by 1, 2
      returning reading_count
    ) select coalesce(sum(reading_count), 0)::integer as count from made`.execute(tx)
  await sql`update reading_store set rolled_up_to = ${step.up_to}`.execute(tx)
  return made[0]?.count ?? 0
}
