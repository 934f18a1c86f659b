import { sql, type RawBuilder } from 'kysely'
import { checkConvertible, unitFactors } from '#domain/unit.ts'
import type { UsageCondition } from '#domain/usage-filter.ts'
import type { MetricRule, ReadingSums } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { readingBefore, readingsInside } from './stored-reading.ts'
import { toFilterJson } from './usage-filter.ts'

/** Of which readings the sums are asked: those of an instance's metric after `begins` and up to `until`. */
export interface SumsQuestion {
  /** Of the answer. */
  readonly index: number
  readonly instanceId: string
  readonly metric: string
  readonly rule: MetricRule
  /** Left out: every series. */
  readonly usageFilter?: readonly UsageCondition[]
  /** The unit that the quantity will be wanted in. */
  readonly unit: string
  readonly window: { readonly start: string; readonly end: string }
  /** At the window's end or, for a last window, past it. */
  readonly until: string
}

interface Seen {
  readonly index: number
  readonly units: string[]
  readonly reading_count: number
  readonly first_read_at: string | null
  readonly last_read_at: string | null
}

/**
 * The sums of readings, added up where they lie: exact decimals in the base unit, the same as those of the definition
 * (`aggregateUsage`). A constant number of queries; what no reading is of has no entry.
 * @throws `unit_not_convertible`, `unit_unknown`
 */
export async function readSums(
  db: Db,
  questions: readonly SumsQuestion[],
): Promise<ReadonlyMap<number, ReadingSums>> {
  const sums = new Map<number, ReadingSums>()
  const byRule = Map.groupBy(questions, ({ rule }) =>
    rule.kind === 'counter' ? 'counter' : rule.aggregation,
  )
  const units = new Map(questions.map(({ index, unit }) => [index, unit]))
  for (const [way, asked] of byRule) {
    const rows = way === 'counter' ? await readGrowth(db, asked) : await readGauges(db, asked, way)
    for (const { row, of } of rows) {
      for (const unit of row.units) checkConvertible(unit, units.get(row.index) ?? unit)
      sums.set(row.index, {
        readingCount: row.reading_count,
        firstReadAt: row.first_read_at,
        lastReadAt: row.last_read_at,
        ...of,
      })
    }
  }
  return sums
}

/** One array a column: a statement of any number of questions has the same few parameters. */
function askedOf(questions: readonly SumsQuestion[]) {
  return sql`asked (index, instance_id, metric, begins, ends, until, percent, bucket_seconds, usage_filter) as materialized (
      select * from unnest(${questions.map(({ index }) => index)}::integer[],
        ${questions.map(({ instanceId }) => instanceId)}::uuid[], ${questions.map(({ metric }) => metric)}::text[],
        ${questions.map(({ window }) => window.start)}::timestamptz[],
        ${questions.map(({ window }) => window.end)}::timestamptz[],
        ${questions.map(({ until }) => until)}::timestamptz[],
        ${questions.map(({ rule }) => String(rule.percent ?? 100))}::numeric[],
        ${questions.map(({ rule }) => rule.bucketSeconds ?? 3600)}::integer[],
        ${questions.map(toFilterJson)}::jsonb[])
    ), units (unit, factor) as materialized (
      select * from unnest(${unitFactors.map(({ unit }) => unit)}::text[],
        ${unitFactors.map(({ factor }) => factor)}::numeric[])
    )`
}

/** A line may ask for some of the series only. */
const isAsked = sql`series.instance_id = asked.instance_id and series.metric = asked.metric and (asked.usage_filter is null
      or takes_usage(asked.usage_filter, jsonb_build_object('series', series.series)))`

/** A unit that is not in the table is refused when its row is looked at. */
const factor = sql`coalesce((select factor from units where units.unit = series.unit), 1)`

/**
 * Growth is the step from each reading to the next of its series, counted where the later one was taken; from the first there
 * is, and after a fall, from 0. Few series and many readings: each series is walked along its index.
 */
async function readGrowth(db: Db, questions: readonly SumsQuestion[]) {
  const { rows } = await sql<Seen & { grown: string }>`
    with ${askedOf(questions)}
    select asked.index, array_agg(distinct series.unit) as units, sum(walked.grown * ${factor}) as grown,
      sum(walked.reading_count)::integer as reading_count, min(walked.first_read_at) as first_read_at,
      max(walked.last_read_at) as last_read_at
    from asked
    join reading_series series on ${isAsked}
    cross join lateral (
      select coalesce(sum(case when step.before is null or step.value < step.before then step.value
            else step.value - step.before end) filter (where is_inside and not step.is_opening), 0) as grown,
        count(*) filter (where is_inside) as reading_count,
        min(step.read_at) filter (where is_inside) as first_read_at, max(step.read_at) filter (where is_inside) as last_read_at
      from (
        select value, is_opening, read_at, read_at > asked.begins as is_inside,
          lag(value) over (order by read_at, sampled_at) as before
        from (
          (${readingBefore(sql`series.id`, sql`asked.begins`)})
          union all
          (${readingsInside(sql`series.id`, sql`asked.begins`, sql`asked.until`)})
        ) read
      ) step
    ) walked
    group by asked.index`.execute(db)
  return rows.map((row) => ({ row, of: { kind: 'counter', grown: row.grown } as const }))
}

interface GaugeRow extends Seen {
  readonly points: number
  readonly amount: string | null
  readonly carried: string | null
}

type GaugeWay = MetricRule['aggregation']

/** What `amountOf` of `domain/gauge.ts` says, over the points of a window. */
const amounts: Readonly<Record<GaugeWay, RawBuilder<unknown>>> = {
  max: sql`max(total)`,
  min: sql`min(total)`,
  average: sql`sum(total)`,
  count: sql`count(*)::numeric`,
  unique_count: sql`count(distinct total)::numeric`,
  last: sql`(array_agg(total order by read_at desc, sampled_at desc))[1]`,
  sum: sql`(array_agg(total order by read_at desc, sampled_at desc))[1]`,
  percentile: sql`(array_agg(total order by total))[ceil(asked.percent * count(*) / 100)::integer]`,
  time_weighted_average: sql`sum(total * held_ms)`,
  bucket_max: sql`sum(total) filter (where is_highest)`,
}

/** What a point needs to know of the others, for the ways that ask it. */
const besides: Readonly<Partial<Record<GaugeWay, RawBuilder<unknown>>>> = {
  time_weighted_average: sql`, ${milliseconds(
    sql`coalesce(lead(read_at) over (order by read_at, sampled_at), greatest(asked.ends, read_at)) - read_at`,
  )} as held_ms`,
  bucket_max: sql`, row_number() over (
      partition by ceil(${milliseconds(sql`read_at - asked.begins`)} / (asked.bucket_seconds * 1000)) order by total desc
    ) = 1 as is_highest`,
}

function milliseconds(duration: RawBuilder<unknown>) {
  return sql`(extract(epoch from ${duration}) * 1000)`
}

/** A gauge is at each moment the sum of what was read at that moment. */
async function readGauges(db: Db, questions: readonly SumsQuestion[], way: GaugeWay) {
  const ofMetric = sql`from reading_series series`
  const { rows } = await sql<GaugeRow>`
    with ${askedOf(questions)}
    select asked.index, known.units, inside.*, carried.total as carried
    from asked
    cross join lateral (select array_agg(distinct series.unit) as units ${ofMetric} where ${isAsked}) known
    cross join lateral (
      select ${amounts[way]} as amount, count(*)::integer as points, coalesce(sum(readings), 0)::integer as reading_count,
        min(read_at) as first_read_at, max(read_at) as last_read_at
      from (
        select *${besides[way] ?? sql``} from (
          select read_at, sampled_at, sum(value * ${factor}) as total, count(*) as readings
          ${ofMetric} cross join lateral (${readingsInside(sql`series.id`, sql`asked.begins`, sql`asked.until`)}) read
          where ${isAsked}
          group by read_at, sampled_at
        ) moment
      ) point
    ) inside
    left join lateral (
      select sum(amount) as total from (
        select value * ${factor} as amount, rank() over (order by read_at desc, sampled_at desc) as age
        ${ofMetric} cross join lateral (${readingBefore(sql`series.id`, sql`asked.begins`)}) read
        where ${isAsked}
      ) newest where age = 1
    ) carried on true
    where known.units is not null`.execute(db)
  return rows.map((row) => ({
    row,
    of: {
      kind: 'gauge',
      amount: row.amount ?? '0',
      points: row.points,
      firstPointAt: row.first_read_at,
      carried: row.carried ?? '0',
    } as const,
  }))
}
