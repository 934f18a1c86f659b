import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'

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
