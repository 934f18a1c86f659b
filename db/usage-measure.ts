import Big from 'big.js'
import { sql } from 'kysely'
import type { MetricDefinition } from '#domain/application.ts'
import { assert } from '#domain/assert.ts'
import { definedAsPushed } from '#domain/shared-metric.ts'
import { convertUnit } from '#domain/unit.ts'
import { takesUsage, type UsageCondition } from '#domain/usage-filter.ts'
import {
  aggregateUsage,
  netEvents,
  quantityOfSums,
  type InstantWindow,
  type MetricRule,
  type PushedUsage,
  type Reading,
  type ReadingSums,
  type UsageQuantity,
} from '#domain/usage.ts'
import { readTogether, type Db } from './database.ts'
import { readGrowthWindows } from './growth-window.ts'
import { never, readEventBefore, readEvents } from './pushed-usage.ts'
import { readSums } from './reading-sums.ts'
import { listPushedMetrics } from './shared-metric.ts'
import { isReadFrom, readReadings } from './stored-reading.ts'

export interface UsageQuestion {
  readonly subscriptionId: string
  /** Whose it is: what is late for one line may be in time for another. Left out: of no line, for which nothing is late. */
  readonly lineId?: string
  readonly instanceId: string | null
  readonly metric: string
  readonly unit: string
  readonly window: InstantWindow
  /** Of the use of the metric only what fulfils all of these; left out, every one. */
  readonly usageFilter?: readonly UsageCondition[]
  /** The line ends with this window: what was read after the boundary, up to the closing reading, is in it too. */
  readonly isLast: boolean
  /** Left out: as the application defines its metric. */
  readonly rule?: MetricRule
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

/** What instances measure, by their ids. */
type Measured = ReadonlyMap<string, Pick<Meter, 'metrics'>>

/** A metric that is only pushed is a sum. */
const pushedOnly: MetricRule = { kind: 'counter', aggregation: 'sum' }

/**
 * The usage of any number of windows, each in its own unit, from readings and pushed events: a constant number of queries.
 * Readings are added up by the database; where events stand among the readings of a gauge, the definition does it.
 * @param withLate also the events that came after the line had billed their window
 * @returns in the order of the questions
 */
export async function measureUsages(
  db: Db,
  questions: readonly UsageQuestion[],
  { withLate = false, meters }: { withLate?: boolean; meters?: Measured } = {},
): Promise<UsageAnswer[]> {
  if (questions.length === 0) return []
  const known = meters ?? (await readMeters(db, instancesOf(questions)))
  const growthWindows = await readGrowthWindows(db, questions)
  const ruled = questions.map((question, index) => {
    const rule = question.rule ?? definedMetric(known, question) ?? pushedOnly
    const readWindow = (rule.kind === 'counter' ? growthWindows.get(index) : undefined) ?? question.window
    return { ...question, index, rule, readWindow, until: question.isLast ? never : readWindow.end }
  })
  const [inside, before] = await readTogether(
    db,
    async () => readEvents(db, questions, withLate),
    async () =>
      readEventBefore(
        db,
        ruled.filter(({ rule }) => rule.kind === 'gauge'),
      ),
  )
  const asked = ruled.map((of) => {
    const events = inside.get(of.index) ?? []
    return { ...of, events, points: [...(before.get(of.index) ?? []), ...events] }
  })
  const [summed, defined] = await readTogether(
    db,
    async () =>
      sumUp(
        db,
        asked.filter((of) => !isMixed(of)),
      ),
    async () => aggregateAll(db, asked.filter(isMixed)),
  )
  return asked.map((of) => {
    const usage = summed.get(of.index) ?? defined.get(of.index)
    assert(usage, 'every question is answered one way or the other')
    const inUnit = (event: PushedUsage) => convertUnit(new Big(event.quantity), event.unit, of.unit)
    return { usage, eventQuantities: () => netEvents(of.events).map((event) => inUnit(event).toFixed()) }
  })
}

interface RuledQuestion extends UsageQuestion {
  /** Of the answer. */
  readonly index: number
  readonly rule: MetricRule
  /** Where readings are looked for: of a counter, where its growth is parted from that of other windows. */
  readonly readWindow: InstantWindow
  readonly until: string
  /** Pushed in the window, and of a gauge what was in force before it too. */
  readonly events: readonly PushedUsage[]
  readonly points: readonly PushedUsage[]
}

function isMixed({ rule, points }: RuledQuestion): boolean {
  return rule.kind === 'gauge' && points.length > 0
}

async function sumUp(db: Db, asked: readonly RuledQuestion[]): Promise<ReadonlyMap<number, UsageQuantity>> {
  const sums = await readSums(
    db,
    asked.flatMap(({ instanceId, readWindow, ...of }) =>
      instanceId === null ? [] : [{ ...of, instanceId, window: readWindow }],
    ),
  )
  return new Map(
    asked.map((of) => {
      const own = sums.get(of.index) ?? nothingRead(of.rule)
      const window = closeWindow(of, [own.lastReadAt, of.events.at(-1)?.occurredAt])
      return [of.index, quantityOfSums(of.rule, window, own, of)]
    }),
  )
}

function nothingRead({ kind }: MetricRule): ReadingSums {
  const seen = { readingCount: 0, firstReadAt: null, lastReadAt: null }
  return kind === 'counter'
    ? { ...seen, kind, grown: '0' }
    : { ...seen, kind, amount: '0', points: 0, firstPointAt: null, carried: '0' }
}

async function aggregateAll(
  db: Db,
  asked: readonly RuledQuestion[],
): Promise<ReadonlyMap<number, UsageQuantity>> {
  const readings = await readReadings(db, asked)
  return new Map(
    asked.map((of) => {
      const measured = { readings: takenOf(of, readings.get(of.index)), events: of.points }
      const window = closeWindow(of, [measured.readings.at(-1)?.readAt, of.events.at(-1)?.occurredAt])
      return [of.index, aggregateUsage(of.rule, window, measured, of.unit)]
    }),
  )
}

/** A reading is told from others by its series alone. */
function takenOf({ usageFilter = [] }: UsageQuestion, readings: readonly Reading[] = []): readonly Reading[] {
  return usageFilter.length === 0
    ? readings
    : readings.filter(({ series }) => takesUsage(usageFilter, { series }))
}

/** The last window reaches to the last that was measured. */
function closeWindow(
  { window, isLast }: UsageQuestion,
  measuredAts: readonly (string | null | undefined)[],
): InstantWindow {
  if (!isLast) return window
  const reached = measuredAts.flatMap((at) => (typeof at === 'string' ? [Date.parse(at)] : []))
  const end = Math.max(Date.parse(window.end), ...reached)
  return { start: window.start, end: new Date(end).toISOString() }
}

export function instancesOf(questions: readonly Pick<UsageQuestion, 'instanceId'>[]): string[] {
  return [...new Set(questions.flatMap(({ instanceId }) => (instanceId === null ? [] : [instanceId])))]
}

/** As its application defines it, or all have it; undefined where it is pushed and defined nowhere. */
export function definedMetric(
  meters: Measured,
  of: { readonly instanceId: string | null; readonly metric: string | null },
): MetricDefinition | undefined {
  return readMetric(meters, of) ?? meters.get(everywhere)?.metrics.find(({ code }) => code === of.metric)
}

/** As the application of the instance defines it, which reads it. */
function readMetric(
  meters: Measured,
  of: { readonly instanceId: string | null; readonly metric: string | null },
): MetricDefinition | undefined {
  return of.instanceId === null
    ? undefined
    : meters.get(of.instanceId)?.metrics.find(({ code }) => code === of.metric)
}

/** Among the meters, what no instance has: metrics that are pushed for whole customers. */
const everywhere = 'everywhere'

/** By instance, and what is pushed for none. Many instances are of few versions of an application: each is read once. */
export async function readMeters(
  db: Db,
  instanceIds: readonly string[],
): Promise<ReadonlyMap<string, Meter>> {
  const pushed = { isRunning: false, metrics: (await listPushedMetrics(db)).map(definedAsPushed) }
  if (instanceIds.length === 0) return new Map([[everywhere, pushed]])
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
  return new Map([
    [everywhere, pushed],
    ...instances.map((instance): [string, Meter] => [
      instance.id,
      {
        isRunning: instance.state === 'running' || instance.state === 'limited',
        metrics: metrics.get(instance.version_id) ?? [],
      },
    ]),
  ])
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
    const isRead = readMetric(meters, question) !== undefined
    return isRead && meters.get(question.instanceId ?? '')?.isRunning ? [{ ...question, index }] : []
  })
  if (read.length === 0) return new Set()
  const { rows } = await sql<{ index: number }>`
    select asked.index from unnest(${read.map(({ index }) => index)}::integer[],
      ${read.map(({ instanceId }) => instanceId)}::uuid[], ${read.map(({ metric }) => metric)}::text[],
      ${read.map(({ window }) => window.end)}::timestamptz[]) as asked (index, instance_id, metric, ends)
    where not exists (
      select from reading_series series
      join lateral (${isReadFrom(sql`series.id`, sql`asked.ends`)}) read on true
      where series.instance_id = asked.instance_id and series.metric = asked.metric)`.execute(db)
  return new Set(rows.map(({ index }) => index))
}
