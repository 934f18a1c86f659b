import Big from 'big.js'
import { aggregate, bucketMaxima, timeWeightedAverage, type HeldValue } from './aggregation.ts'
import { unreachable } from './assert.ts'
import { roundDecimal, roundToStep } from './money.ts'
import { convertUnit } from './unit.ts'

/**
 * How a metric's readings become the quantity of a period: the growth of a counter, or one value of many of a gauge.
 * `time_weighted_average` counts each value as long as it was in force, `bucket_max` sums the highest value of each bucket.
 */
export interface MetricRule {
  readonly kind: 'counter' | 'gauge'
  readonly aggregation: MetricAggregation
  /** Of `percentile`, above 0 and at most 100. */
  readonly percent?: number
  /** Of `bucket_max`; buckets are counted from the start of the window. */
  readonly bucketSeconds?: number
  /** To a multiple of a step of the product's unit, before pricing; not at all by default. */
  readonly rounding?: { readonly mode: 'up' | 'down' | 'nearest'; readonly step: string }
}

export const metricAggregations = [
  'sum',
  'max',
  'min',
  'average',
  'last',
  'count',
  'unique_count',
  'percentile',
  'time_weighted_average',
  'bucket_max',
] as const
export type MetricAggregation = (typeof metricAggregations)[number]

/** One measurement. A series counts from 0 when it first appears, unless that first reading is an opening one. */
export interface Reading {
  readonly series: string
  /** Decimal, in `unit`. */
  readonly value: string
  readonly unit: string
  /** Taken at activation or resume: what was counted before it is nobody's bill. */
  readonly isOpening: boolean
  /** UTC instant as ISO text, in the subscription's own time. */
  readonly readAt: string
}

/** An amount that was pushed: added to a counter, a value in force for a gauge. */
export interface PushedUsage {
  readonly quantity: string
  readonly unit: string
  readonly occurredAt: string
}

/** Instants, the start excluded and the end included: a value on the boundary belongs to the period before it. */
export interface InstantWindow {
  readonly start: string
  readonly end: string
}

/** The frozen aggregate that a billed line refers to. */
export interface UsageQuantity {
  /** Exact decimal in the asked unit. */
  readonly quantity: string
  readonly unit: string
  readonly readingCount: number
  readonly eventCount: number
  readonly firstReadAt: string | null
  readonly lastReadAt: string | null
  /** Not read at or past the window's end: what is missing comes with a later bill. Left out: read. */
  readonly isPending?: true
}

/** What was measured for a window. */
export interface Measured {
  readonly readings: readonly Reading[]
  readonly events: readonly PushedUsage[]
  /** In which a counter's steps end, where that is not the window itself: a pending window reaches to what was read next. */
  readonly growthWindow?: InstantWindow | undefined
}

/**
 * The usage of one window in the product's unit. Readings come in order of time, and hold besides those inside the
 * window the ones before it, from which a counter's growth is counted. Readings 100, 160, (missed), 220, restart 0, 30
 * give 150: a counter that falls was reset and starts at 0. An average has 10 decimals.
 * @throws `unit_not_convertible`, `unit_unknown`
 */
export function aggregateUsage(
  rule: MetricRule,
  window: InstantWindow,
  measured: Measured,
  unit: string,
): UsageQuantity {
  const readWindow = rule.kind === 'counter' ? (measured.growthWindow ?? window) : window
  const readings = measured.readings.filter((reading) => isInside(reading.readAt, readWindow))
  const events = measured.events.filter((event) => isInside(event.occurredAt, window))
  const quantity =
    rule.kind === 'counter'
      ? counterValue(rule, events, unit, growth(measured.readings, readWindow, unit))
      : gaugeValue(rule, window, measured, unit)
  return {
    quantity: roundQuantity(quantity, rule).toFixed(),
    unit,
    readingCount: readings.length,
    eventCount: events.length,
    firstReadAt: readings[0]?.readAt ?? null,
    lastReadAt: readings.at(-1)?.readAt ?? null,
  }
}

function roundQuantity(quantity: Big, { rounding }: MetricRule): Big {
  return rounding ? roundToStep(quantity, new Big(rounding.step), rounding.mode) : quantity
}

function isInside(instant: string, window: InstantWindow): boolean {
  return Date.parse(instant) > Date.parse(window.start) && Date.parse(instant) <= Date.parse(window.end)
}

/** Growth of every series over the window; each step from one reading to the next counts where the later one was taken. */
function growth(readings: readonly Reading[], window: InstantWindow, unit: string): Big {
  const before = new Map<string, Big>()
  let total = new Big(0)
  for (const reading of readings) {
    const value = convertUnit(new Big(reading.value), reading.unit, unit)
    const previous = before.get(reading.series)
    if (!reading.isOpening && isInside(reading.readAt, window)) total = total.plus(counted(previous, value))
    before.set(reading.series, value)
  }
  return total
}

function counted(previous: Big | undefined, value: Big): Big {
  return previous === undefined || value.lt(previous) ? value : value.minus(previous)
}

/** A counter is summed; of what was pushed to it, the events themselves can be counted instead. */
function counterValue(rule: MetricRule, events: readonly PushedUsage[], unit: string, grown: Big): Big {
  const quantities = events.map((event) => convertUnit(new Big(event.quantity), event.unit, unit))
  if (rule.aggregation === 'count' || rule.aggregation === 'unique_count') {
    return aggregate(quantities, { kind: rule.aggregation })
  }
  return sum(quantities).plus(grown)
}

/** A quantity that can be printed, priced and recomputed. */
const averageDigits = 10

interface GaugePoint {
  readonly at: string
  readonly value: Big
}

function gaugeValue(rule: MetricRule, window: InstantWindow, measured: Measured, unit: string): Big {
  const points = [
    ...totalsAtMoments(measured.readings, unit),
    ...measured.events.map((event) => ({
      at: event.occurredAt,
      value: convertUnit(new Big(event.quantity), event.unit, unit),
    })),
  ].toSorted((first, second) => Date.parse(first.at) - Date.parse(second.at))
  const inside = points.filter((point) => isInside(point.at, window))
  const carried = points.findLast((point) => Date.parse(point.at) <= Date.parse(window.start))
  return aggregateGauge(rule, window, { inside, carried: carried?.value ?? new Big(0) })
}

/** What was in force before stays in force until something else is measured. */
function aggregateGauge(
  rule: MetricRule,
  window: InstantWindow,
  { inside, carried }: { inside: readonly GaugePoint[]; carried: Big },
): Big {
  const values = inside.map(({ value }) => value)
  const orCarried = values.length === 0 ? [carried] : values
  switch (rule.aggregation) {
    case 'count':
    case 'unique_count':
      return aggregate(values, { kind: rule.aggregation })
    case 'max':
    case 'min':
      return aggregate(orCarried, { kind: rule.aggregation })
    case 'average':
      return roundDecimal(aggregate(orCarried, { kind: 'average' }), averageDigits)
    case 'percentile':
      return aggregate(orCarried, { kind: 'percentile', percent: rule.percent ?? 100 })
    case 'time_weighted_average':
      return roundDecimal(
        timeWeightedAverage(heldValues(inside, carried, window), millisecondsOf(window)),
        averageDigits,
      )
    case 'bucket_max':
      return sum(bucketMaxima(bucketsOf(inside, window, rule.bucketSeconds ?? 3600)))
    case 'sum':
    case 'last':
      return aggregate(orCarried, { kind: 'last' })
    default:
      return unreachable(rule.aggregation)
  }
}

function millisecondsOf(window: InstantWindow): number {
  return Date.parse(window.end) - Date.parse(window.start)
}

/** Each value from the moment it was measured until the next, the carried one from the window's start. */
function heldValues(inside: readonly GaugePoint[], carried: Big, window: InstantWindow): HeldValue[] {
  const points = [{ at: window.start, value: carried }, ...inside]
  return points.map(({ at, value }, index) => ({
    value,
    duration: Date.parse(points[index + 1]?.at ?? window.end) - Date.parse(at),
  }))
}

/** As a window, a bucket has its end and not its start. */
function bucketsOf(inside: readonly GaugePoint[], window: InstantWindow, bucketSeconds: number): Big[][] {
  const indexOf = ({ at }: GaugePoint) =>
    Math.ceil((Date.parse(at) - Date.parse(window.start)) / (bucketSeconds * 1000))
  return [...Map.groupBy(inside, indexOf).values()].map((points) => points.map(({ value }) => value))
}

/**
 * A gauge is at each moment the sum of what was read at that moment: several volumes of an instance are one gauge, and a
 * container that is gone has no part in it.
 */
function totalsAtMoments(readings: readonly Reading[], unit: string): { at: string; value: Big }[] {
  const looks: { readonly at: string; readonly values: Map<string, Big> }[] = []
  for (const { series, readAt, value, unit: from } of readings) {
    const last = looks.at(-1)
    // While a test clock stands still, the same is read again at one moment.
    const isSameLook = last?.at === readAt && !last.values.has(series)
    const look = isSameLook ? last : { at: readAt, values: new Map<string, Big>() }
    if (look !== last) looks.push(look)
    look.values.set(series, convertUnit(new Big(value), from, unit))
  }
  return looks.map(({ at, values }) => ({ at, value: sum([...values.values()]) }))
}

function sum(values: readonly Big[]): Big {
  return values.reduce((total, value) => total.plus(value), new Big(0))
}
