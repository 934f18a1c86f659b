import Big from 'big.js'
import { sql } from 'kysely'
import type { MetricDefinition } from '#domain/application.ts'
import { convertUnit } from '#domain/unit.ts'
import {
  aggregateUsage,
  type InstantWindow,
  type MetricRule,
  type PushedUsage,
  type Reading,
  type UsageQuantity,
} from '#domain/usage.ts'
import { readTogether, type Db } from './database.ts'

export interface UsageQuestion {
  readonly subscriptionId: string
  readonly instanceId: string | null
  readonly metric: string
  readonly unit: string
  readonly window: InstantWindow
  /** The line ends with this window: what was read after the boundary, up to the closing reading, is in it too. */
  readonly isLast: boolean
}

export interface UsageAnswer {
  readonly usage: UsageQuantity
  /** The quantity of each event, in the asked unit, in the order of time. */
  readonly eventQuantities: () => string[]
}

/** What an instance measures, and whether it does now. */
export interface Meter {
  readonly isRunning: boolean
  readonly metrics: readonly MetricDefinition[]
}

/** A metric that is only pushed is a sum. */
const pushedOnly: MetricRule = { kind: 'counter', aggregation: 'sum' }

const never = '9999-12-31T00:00:00Z'

/**
 * The usage of any number of windows, each in its own unit, from readings and pushed events: a constant number of queries.
 * @param withLate also the events that came after their window was billed
 * @returns in the order of the questions
 */
export async function measureUsages(
  db: Db,
  questions: readonly UsageQuestion[],
  { withLate = false, meters }: { withLate?: boolean; meters?: ReadonlyMap<string, Meter> } = {},
): Promise<UsageAnswer[]> {
  if (questions.length === 0) return []
  const known = meters ?? (await readMeters(db, instancesOf(questions)))
  const growthWindows = await readGrowthWindows(db, questions)
  const [readings, events] = await readTogether(
    db,
    async () => readReadings(db, questions, growthWindows),
    async () => readEvents(db, questions, withLate),
  )
  return questions.map((question, index) => {
    const measured = { readings: readings.get(index) ?? [], events: events.get(index) ?? [] }
    const window = closeWindow(question, question.window, measured)
    const grown = growthWindows.get(index)
    const growthWindow = grown && closeWindow(question, grown, measured)
    const { unit, metric, instanceId } = question
    const rule = known.get(instanceId ?? '')?.metrics.find(({ code }) => code === metric) ?? pushedOnly
    return {
      usage: aggregateUsage(rule, window, { ...measured, growthWindow }, unit),
      eventQuantities: () =>
        measured.events.map((event) => convertUnit(new Big(event.quantity), event.unit, unit).toFixed()),
    }
  })
}

/** The last window reaches to the last that was measured. */
function closeWindow(
  { isLast }: UsageQuestion,
  window: InstantWindow,
  measured: { readings: readonly Reading[]; events: readonly PushedUsage[] },
): InstantWindow {
  if (!isLast) return window
  const last = [measured.readings.at(-1)?.readAt, measured.events.at(-1)?.occurredAt]
  const reached = last.filter((at) => at !== undefined).map((at) => Date.parse(at))
  const end = Math.max(Date.parse(window.end), ...reached)
  return { start: window.start, end: new Date(end).toISOString() }
}

export function instancesOf(questions: readonly Pick<UsageQuestion, 'instanceId'>[]): string[] {
  return [...new Set(questions.flatMap(({ instanceId }) => (instanceId === null ? [] : [instanceId])))]
}

/** By instance. Many instances are of few versions of an application: each is read once. */
export async function readMeters(
  db: Db,
  instanceIds: readonly string[],
): Promise<ReadonlyMap<string, Meter>> {
  if (instanceIds.length === 0) return new Map()
  const { rows: instances } = await sql<{ id: string; state: string; version_id: string }>`
    select id, state, application_version_id as version_id from instances where id = any(${instanceIds}::uuid[])`.execute(
    db,
  )
  const versionIds = [...new Set(instances.map((instance) => instance.version_id))]
  const { rows: versions } = await sql<{ id: string; metrics: MetricDefinition[] | null }>`
    select id, definition -> 'metrics' as metrics from application_versions where id = any(${versionIds}::uuid[])`.execute(
    db,
  )
  const metrics = new Map(versions.map((version) => [version.id, version.metrics ?? []]))
  return new Map(
    instances.map((instance) => [
      instance.id,
      {
        isRunning: instance.state === 'running' || instance.state === 'limited',
        metrics: metrics.get(instance.version_id) ?? [],
      },
    ]),
  )
}

interface ReadingRow {
  readonly index: number
  readonly series: string
  readonly value: string
  readonly unit: string
  readonly is_opening: boolean
  readonly read_at: string
  readonly id: number
}

/**
 * By index, where the boundary between two windows is not where a counter's growth is parted: a window that was pending when
 * it was billed reaches to the first reading after it, and the next one begins there.
 */
async function readGrowthWindows(
  db: Db,
  questions: readonly UsageQuestion[],
): Promise<ReadonlyMap<number, InstantWindow>> {
  const metered = questions.flatMap((question, index) =>
    question.instanceId === null ? [] : [{ ...question, index, instanceId: question.instanceId }],
  )
  if (metered.length === 0) return new Map()
  const { rows } = await sql<{ index: number; begins: string; ends: string }>`
    select asked.index, bounds.begins, bounds.ends
    from unnest(${metered.map(({ index }) => index)}::integer[], ${metered.map(({ instanceId }) => instanceId)}::uuid[],
      ${metered.map(({ metric }) => metric)}::text[], ${metered.map(({ window }) => window.start)}::timestamptz[],
      ${metered.map(({ window }) => window.end)}::timestamptz[]) as asked (index, instance_id, metric, begins, ends)
    cross join lateral (
      select coalesce(max(next.read_at) filter (where upper(frozen.window_period) = asked.begins), asked.begins) as begins,
        coalesce(max(next.read_at) filter (where upper(frozen.window_period) = asked.ends), asked.ends) as ends,
        count(*) as pending
      from usage_windows frozen
      join subscription_lines line on line.id = frozen.subscription_line_id and line.instance_id = asked.instance_id
      cross join lateral (
        select coalesce(min(read_at), ${never}::timestamptz) as read_at from readings
        where instance_id = asked.instance_id and metric = asked.metric and read_at >= upper(frozen.window_period)
      ) next
      where frozen.is_pending and frozen.metric = asked.metric
        and upper(frozen.window_period) in (asked.begins, asked.ends)
    ) bounds
    where bounds.pending > 0`.execute(db)
  return new Map(rows.map((row) => [row.index, { start: row.begins, end: row.ends }]))
}

/** Readings of each window, and before them the newest of each series before it, from which growth is counted. */
async function readReadings(
  db: Db,
  questions: readonly UsageQuestion[],
  growthWindows: ReadonlyMap<number, InstantWindow>,
): Promise<ReadonlyMap<number, Reading[]>> {
  const metered = questions.flatMap((question, index) =>
    question.instanceId === null ? [] : [{ ...question, index, instanceId: question.instanceId }],
  )
  if (metered.length === 0) return new Map()
  const asked = sql`unnest(${metered.map(({ index }) => index)}::integer[],
    ${metered.map(({ instanceId }) => instanceId)}::uuid[], ${metered.map(({ metric }) => metric)}::text[],
    ${metered.map(({ window }) => window.start)}::timestamptz[], ${metered.map((question) => reachOf(question, growthWindows.get(question.index)))}::timestamptz[])
    as asked (index, instance_id, metric, begins, until)`
  // Series are few and readings many: each series is skipped to, and looked at from its newest reading backwards.
  const readBefore = async () =>
    sql<ReadingRow>`
    select asked.index, reading.series, reading.value, reading.unit, reading.is_opening, reading.read_at, reading.id
    from ${asked}
    cross join lateral (
      with recursive known (series) as (
        (select min(series) from readings where instance_id = asked.instance_id and metric = asked.metric)
        union all
        select (select min(next.series) from readings next
          where next.instance_id = asked.instance_id and next.metric = asked.metric and next.series > known.series)
        from known where known.series is not null
      )
      select series from known where series is not null
    ) series
    cross join lateral (
      select readings.* from readings
      where instance_id = asked.instance_id and metric = asked.metric and readings.series = series.series
        and read_at <= asked.begins
      order by sampled_at desc, id desc limit 1
    ) reading
    order by asked.index, reading.id`.execute(db)
  const readInside = async () =>
    sql<ReadingRow>`
    select asked.index, reading.series, reading.value, reading.unit, reading.is_opening, reading.read_at, reading.id
    from ${asked}
    join readings reading on reading.instance_id = asked.instance_id and reading.metric = asked.metric
      and reading.read_at > asked.begins and reading.read_at <= asked.until
    order by asked.index, reading.read_at, reading.sampled_at, reading.id`.execute(db)
  const [{ rows: before }, { rows: inside }] = await readTogether(db, readBefore, readInside)
  return groupByIndex([...before, ...inside], (row) => ({
    series: row.series,
    value: row.value,
    unit: row.unit,
    isOpening: row.is_opening,
    readAt: row.read_at,
  }))
}

async function readEvents(
  db: Db,
  questions: readonly UsageQuestion[],
  withLate: boolean,
): Promise<ReadonlyMap<number, PushedUsage[]>> {
  const { rows } = await sql<{ index: number; quantity: string; unit: string; occurred_at: string }>`
    select asked.index, event.quantity, event.unit, event.occurred_at
    from unnest(${questions.map((_, index) => index)}::integer[],
      ${questions.map(({ subscriptionId }) => subscriptionId)}::uuid[], ${questions.map(({ metric }) => metric)}::text[],
      ${questions.map(({ window }) => window.start)}::timestamptz[], ${questions.map(untilOf)}::timestamptz[])
      as asked (index, subscription_id, metric, begins, until)
    join usage_events event on event.subscription_id = asked.subscription_id and event.metric = asked.metric
      and event.occurred_at > asked.begins and event.occurred_at <= asked.until and (${withLate} or not event.is_late)
    order by asked.index, event.occurred_at, event.id`.execute(db)
  return groupByIndex(rows, (row) => ({
    quantity: row.quantity,
    unit: row.unit,
    occurredAt: row.occurred_at,
  }))
}

/** Up to which instant readings are needed: a pending window reaches beyond its end. */
function reachOf(question: UsageQuestion, growthWindow: InstantWindow | undefined): string {
  const until = untilOf(question)
  return growthWindow === undefined || Date.parse(growthWindow.end) < Date.parse(until)
    ? until
    : growthWindow.end
}

function untilOf({ isLast, window }: UsageQuestion): string {
  return isLast ? never : window.end
}

function groupByIndex<Row extends { readonly index: number }, Value>(
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

/**
 * Indexes of the questions whose metric was not read at or past the window's end, though an instance that runs measures it.
 */
export async function findUnread(
  db: Db,
  questions: readonly UsageQuestion[],
  meters: ReadonlyMap<string, Meter>,
): Promise<ReadonlySet<number>> {
  const read = questions.flatMap((question, index) => {
    const meter = meters.get(question.instanceId ?? '')
    const isRead = meter?.metrics.some(({ code }) => code === question.metric)
    return meter?.isRunning && isRead ? [{ ...question, index }] : []
  })
  if (read.length === 0) return new Set()
  const { rows } = await sql<{ index: number }>`
    select asked.index from unnest(${read.map(({ index }) => index)}::integer[],
      ${read.map(({ instanceId }) => instanceId)}::uuid[], ${read.map(({ metric }) => metric)}::text[],
      ${read.map(({ window }) => window.end)}::timestamptz[]) as asked (index, instance_id, metric, ends)
    where not exists (select from readings reading where reading.instance_id = asked.instance_id
      and reading.metric = asked.metric and reading.read_at >= asked.ends)`.execute(db)
  return new Set(rows.map(({ index }) => index))
}
