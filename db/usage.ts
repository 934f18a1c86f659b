import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import type { EarlierReadings } from '#domain/runner.ts'
import { inBaseUnit } from '#domain/unit.ts'
import { within, type Db, type Tx } from './database.ts'
import { readingBefore } from './stored-reading.ts'

export interface NewReading {
  readonly metric: string
  readonly series: string
  readonly value: string
  readonly unit: string
}

interface Moment {
  readonly instanceId: string
  readonly isOpening: boolean
  readonly sampledAt: string
  readonly readAt: string
}

/** Stores what was read of one instance at one moment; the same moment again is the same reading. */
export async function insertReadings(db: Db, at: Moment, readings: readonly NewReading[]): Promise<number> {
  if (readings.length === 0) return 0
  return await within(db, async (tx) => {
    const usual = await insertInto(tx, at, readings)
    if (usual.matched === readings.length) return usual.stored
    await makeSeries(tx, at.instanceId, readings)
    const { matched, stored } = await insertInto(tx, at, readings)
    assert(matched === readings.length, 'a series was made for each reading, in a unit that takes it')
    return usual.stored + stored
  })
}

/**
 * Into the series that are there and take the reading's unit, or its base unit. What was sampled so long ago that its time is
 * rolled up counts as sampled after that, so that it lies where it is seen; a rolling up that is under way is waited for.
 */
async function insertInto(
  tx: Tx,
  at: Moment,
  readings: readonly NewReading[],
): Promise<{ matched: number; stored: number }> {
  const column = (key: keyof NewReading) => readings.map((reading) => reading[key])
  const base = readings.map(({ value, unit }) => inBaseUnit(value, unit))
  const { rows } = await sql<{ matched: number; stored: number }>`
    with given as (
      select * from unnest(${column('metric')}::text[], ${column('series')}::text[], ${column('value')}::numeric[],
        ${column('unit')}::text[], ${base.map(({ quantity }) => quantity)}::numeric[], ${base.map(({ unit }) => unit)}::text[])
        as given (metric, series, value, unit, base_value, base_unit)
    ), matched as (
      select series.id, case when series.unit = given.unit then given.value else given.base_value end as value
      from given join reading_series series on series.instance_id = ${at.instanceId} and series.metric = given.metric
        and series.series = given.series and series.unit in (given.unit, given.base_unit)
      for key share of series
    ), old as (
      select rolled_up_to from reading_store where ${at.sampledAt}::timestamptz < now() - interval '6 days' for share
    ), stored as (
      insert into reading_values (series_id, read_at, sampled_at, value, is_opening)
      select id, ${at.readAt}, greatest(${at.sampledAt}::timestamptz, (select rolled_up_to from old)), value, ${at.isOpening}
      from matched
      on conflict do nothing returning 1
    )
    select (select count(*) from matched)::integer as matched, (select count(*) from stored)::integer as stored`.execute(
    tx,
  )
  return rows[0] ?? { matched: 0, stored: 0 }
}

/**
 * A series has one unit. Comes a reading in another one of the same dimension, the series goes over to the base unit, in which
 * both are exact.
 */
async function makeSeries(tx: Tx, instanceId: string, readings: readonly NewReading[]): Promise<void> {
  // Two that make series of one instance come one after the other.
  await sql`select from instances where id = ${instanceId} for no key update`.execute(tx)
  const known = await tx
    .selectFrom('reading_series')
    .select(['id', 'metric', 'series', 'unit'])
    .where('instance_id', '=', instanceId)
    .execute()
  for (const { metric, series, unit } of readings) {
    const base = inBaseUnit('1', unit).unit
    const own = known.filter((of) => of.metric === metric && of.series === series)
    if (own.some((of) => of.unit === unit || of.unit === base)) continue
    const other = own.find((of) => inBaseUnit('1', of.unit).unit === base)
    if (other) await goOverToBase(tx, other)
    else
      await tx
        .insertInto('reading_series')
        .values({ instance_id: instanceId, metric, series, unit })
        .execute()
  }
}

async function goOverToBase(tx: Tx, { id, unit }: { id: number; unit: string }): Promise<void> {
  const base = inBaseUnit('1', unit)
  // A rolling up that is under way is waited for: the hours that it makes would keep the values of before.
  await sql`select from reading_store for share`.execute(tx)
  await sql`select from reading_series where id = ${id} for update`.execute(tx)
  await sql`update reading_values set value = value * ${base.quantity}::numeric where series_id = ${id}`.execute(
    tx,
  )
  await sql`
    update reading_hours set read_values = array(
      select value * ${base.quantity}::numeric from unnest(read_values) with ordinality as one (value, place) order by place)
    where series_id = ${id}`.execute(tx)
  await sql`update reading_series set unit = ${base.unit} where id = ${id}`.execute(tx)
}

/** Up to when each metric of an instance was read, of those that ever were. */
export async function readNewestInstants(db: Db, instanceId: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ metric: string; read_at: string }>`
    select series.metric, max(newest.read_at) as read_at
    from reading_series series
    cross join lateral (${readingBefore(sql`series.id`, sql`'infinity'::timestamptz`)}) newest
    where series.instance_id = ${instanceId} group by series.metric`.execute(db)
  return new Map(rows.map((row) => [row.metric, row.read_at]))
}

/** The newest reading of each series of an instance, by metric. */
export async function readNewestReadings(db: Db, instanceId: string): Promise<EarlierReadings['newest']> {
  const { rows } = await sql<{ metric: string; series: string; value: string; sampled_at: string }>`
    select series.metric, series.series, newest.value, newest.sampled_at
    from reading_series series
    cross join lateral (${readingBefore(sql`series.id`, sql`'infinity'::timestamptz`)}) newest
    where series.instance_id = ${instanceId}`.execute(db)
  const readings = rows.map(({ sampled_at: sampledAt, ...row }) => ({
    ...row,
    sampledAt: new Date(sampledAt).toISOString(),
  }))
  return Map.groupBy(readings, ({ metric }) => metric)
}
