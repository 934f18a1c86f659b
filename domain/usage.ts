import Big from 'big.js'
import { aggregate } from './aggregation.ts'
import { gaugeQuantity, isInside, sumPoints, type GaugePoint, type GaugeSums } from './gauge.ts'
import { roundToStep } from './money.ts'
import { fromBaseUnit, toBaseUnit } from './unit.ts'

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

/**
 * What a kind can be aggregated by: a counter is the sum of what it grew by, and what was pushed to it can be counted instead; of a
 * gauge every aggregation is one value of many.
 */
export function aggregationsOf(kind: MetricRule['kind']): readonly MetricAggregation[] {
  return kind === 'gauge' ? metricAggregations : ['sum', 'count', 'unique_count']
}

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
  /** By the clock on the wall, where that is another one: what was read while a test clock stood still. */
  readonly sampledAt?: string
}

/** An amount that was pushed: added to a counter, a value in force for a gauge. */
export interface PushedUsage {
  readonly id?: string
  /** Below 0 where it takes back a part or all of another one. */
  readonly quantity: string
  readonly unit: string
  readonly occurredAt: string
  readonly reversesId?: string | null
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
  /** By which the quantity came of what was measured (D-16). */
  readonly formula?: string
  /** Not read at or past the window's end: what is missing comes with a later bill. Left out: read. */
  readonly isPending?: true
}

/** What was measured for a window. */
export interface Measured {
  readonly readings: readonly Reading[]
  readonly events: readonly PushedUsage[]
}

/**
 * The usage of one window in the product's unit. Readings come in order of time, and hold besides those inside the
 * window the ones before it, from which a counter's growth is counted. Readings 100, 160, (missed), 220, restart 0, 30
 * give 150: a counter that falls was reset and starts at 0. An average has 10 decimals. This is the definition; where
 * readings are many the database comes to the same sums (`quantityOfSums`).
 * @throws `unit_not_convertible`, `unit_unknown`
 */
export function aggregateUsage(
  rule: MetricRule,
  window: InstantWindow,
  measured: Measured,
  unit: string,
): UsageQuantity {
  const inside = measured.readings.filter((reading) => isInside(reading.readAt, window))
  const events = measured.events.filter((event) => isInside(event.occurredAt, window))
  const seen = {
    readingCount: inside.length,
    firstReadAt: inside[0]?.readAt ?? null,
    lastReadAt: inside.at(-1)?.readAt ?? null,
  }
  if (rule.kind === 'counter') {
    const grown = growth(measured.readings, window, unit).toFixed()
    return quantityOfSums(rule, window, { ...seen, kind: 'counter', grown }, { events, unit })
  }
  const points = [
    ...pointsOfReadings(measured.readings, unit),
    ...netEvents(measured.events).map((event) => ({
      at: event.occurredAt,
      value: toBaseUnit(new Big(event.quantity), event.unit, unit),
    })),
  ].toSorted((first, second) => Date.parse(first.at) - Date.parse(second.at))
  const sums = { ...seen, kind: 'gauge', ...sumPoints(rule, window, points) } as const
  return quantityOfSums(rule, window, sums, { events, unit })
}

/** What the readings of a window come to, exact and in the base unit: all that a quantity is made of. */
export type ReadingSums = {
  readonly readingCount: number
  readonly firstReadAt: string | null
  readonly lastReadAt: string | null
} & ({ readonly kind: 'counter'; readonly grown: string } | ({ readonly kind: 'gauge' } & GaugeSums))

/**
 * The quantity of sums. Of a gauge they are the sums of its events too; of a counter these are added.
 * @throws `unit_not_convertible`, `unit_unknown`
 */
export function quantityOfSums(
  rule: MetricRule,
  window: InstantWindow,
  sums: ReadingSums,
  { events, unit }: { events: readonly PushedUsage[]; unit: string },
): UsageQuantity {
  const quantity =
    sums.kind === 'counter'
      ? counterQuantity(rule, events, unit, new Big(sums.grown))
      : gaugeQuantity(rule, window, sums, unit)
  return {
    quantity: roundQuantity(quantity, rule).toFixed(),
    unit,
    readingCount: sums.readingCount,
    eventCount: events.length,
    firstReadAt: sums.firstReadAt,
    lastReadAt: sums.lastReadAt,
  }
}

function roundQuantity(quantity: Big, { rounding }: MetricRule): Big {
  return rounding ? roundToStep(quantity, new Big(rounding.step), rounding.mode) : quantity
}

/** Growth of every series over the window; each step from one reading to the next counts where the later one was taken. */
function growth(readings: readonly Reading[], window: InstantWindow, unit: string): Big {
  const before = new Map<string, Big>()
  let total = new Big(0)
  for (const reading of readings) {
    const value = toBaseUnit(new Big(reading.value), reading.unit, unit)
    const previous = before.get(reading.series)
    if (!reading.isOpening && isInside(reading.readAt, window))
      total = total.plus(grownSince(previous, value))
    before.set(reading.series, value)
  }
  return total
}

/**
 * What a counter grew by from one reading to the next, in the unit of both: one that fell was reset and starts at 0, and so
 * does one that was never read before. From 100 to 160 it is 60, from 220 to 30 it is 30.
 */
function grownSince(previous: Big | undefined, value: Big): Big {
  return previous === undefined || value.lt(previous) ? value : value.minus(previous)
}

/**
 * What was pushed, each with what took back a part of it, which is in the same unit; what was taken back whole is none any more.
 * Of 8, -3 for it and 2, it gives 5 and 2.
 */
export function netEvents(events: readonly PushedUsage[]): readonly PushedUsage[] {
  const reversals = new Map(
    events.flatMap((event) => (event.reversesId == null ? [] : [[event.reversesId, event]])),
  )
  if (reversals.size === 0) return events
  const ids = new Set(events.map(({ id }) => id))
  return events.flatMap((event) => {
    if (event.reversesId != null && ids.has(event.reversesId)) return []
    const reversal = reversals.get(event.id ?? '')
    if (reversal === undefined) return [event]
    const quantity = new Big(event.quantity).plus(reversal.quantity)
    return quantity.eq(0) ? [] : [{ ...event, quantity: quantity.toFixed() }]
  })
}

/** A counter is summed; of what was pushed to it, the events themselves can be counted instead. */
function counterQuantity(rule: MetricRule, events: readonly PushedUsage[], unit: string, grown: Big): Big {
  const pushed = netEvents(events).map((event) => toBaseUnit(new Big(event.quantity), event.unit, unit))
  if (rule.aggregation === 'count' || rule.aggregation === 'unique_count') {
    return aggregate(pushed, { kind: rule.aggregation })
  }
  return fromBaseUnit(aggregate([grown, ...pushed], { kind: 'sum' }), unit)
}

/**
 * A gauge is at each moment the sum of what was read at that moment: several volumes of an instance are one gauge, and a
 * container that is gone has no part in it.
 */
function pointsOfReadings(readings: readonly Reading[], unit: string): GaugePoint[] {
  const moments = Map.groupBy(readings, ({ readAt, sampledAt }) => `${readAt} ${sampledAt ?? readAt}`)
  return [...moments.values()].flatMap((together) => {
    const values = together.map((reading) => toBaseUnit(new Big(reading.value), reading.unit, unit))
    return together[0] ? [{ at: together[0].readAt, value: aggregate(values, { kind: 'sum' }) }] : []
  })
}
