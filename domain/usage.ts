import Big from 'big.js'
import { convertUnit } from './unit.ts'

/** How a metric's readings become the quantity of a period: the growth of a counter, or the highest or last value of a gauge. */
export interface MetricRule {
  readonly kind: 'counter' | 'gauge'
  readonly aggregation: 'sum' | 'max' | 'last'
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
}

/**
 * The usage of one window in the product's unit. Readings come in order of time, and hold besides those inside the
 * window the ones before it, from which a counter's growth is counted. Readings 100, 160, (missed), 220, restart 0, 30
 * give 150: a counter that falls was reset and starts at 0.
 * @throws `unit_not_convertible`, `unit_unknown`
 */
export function aggregateUsage(
  rule: MetricRule,
  window: InstantWindow,
  measured: { readings: readonly Reading[]; events: readonly PushedUsage[] },
  unit: string,
): UsageQuantity {
  const readings = measured.readings.filter((reading) => isInside(reading.readAt, window))
  const events = measured.events.filter((event) => isInside(event.occurredAt, window))
  const quantity =
    rule.kind === 'counter'
      ? sum(events.map((event) => convertUnit(new Big(event.quantity), event.unit, unit))).plus(
          growth(measured.readings, window, unit),
        )
      : gaugeValue(rule, window, measured, unit)
  return {
    quantity: quantity.toFixed(),
    unit,
    readingCount: readings.length,
    eventCount: events.length,
    firstReadAt: readings[0]?.readAt ?? null,
    lastReadAt: readings.at(-1)?.readAt ?? null,
  }
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

function gaugeValue(
  rule: MetricRule,
  window: InstantWindow,
  measured: { readings: readonly Reading[]; events: readonly PushedUsage[] },
  unit: string,
): Big {
  const points = [
    ...totalsOverSeries(measured.readings, unit),
    ...measured.events.map((event) => ({
      at: event.occurredAt,
      value: convertUnit(new Big(event.quantity), event.unit, unit),
    })),
  ].toSorted((first, second) => Date.parse(first.at) - Date.parse(second.at))
  const inside = points.filter((point) => isInside(point.at, window))
  const carried = points.findLast((point) => Date.parse(point.at) <= Date.parse(window.start))
  // What was in force before stays in force until something else is measured.
  if (inside.length === 0) return carried?.value ?? new Big(0)
  if (rule.aggregation !== 'max') return inside.at(-1)?.value ?? new Big(0)
  return inside.reduce((highest, { value }) => (value.gt(highest) ? value : highest), new Big(0))
}

/** Several volumes of one instance are one gauge: at each reading, the sum of the latest value of every series. */
function totalsOverSeries(readings: readonly Reading[], unit: string): { at: string; value: Big }[] {
  const latest = new Map<string, Big>()
  return readings.map((reading) => {
    latest.set(reading.series, convertUnit(new Big(reading.value), reading.unit, unit))
    return { at: reading.readAt, value: sum([...latest.values()]) }
  })
}

function sum(values: readonly Big[]): Big {
  return values.reduce((total, value) => total.plus(value), new Big(0))
}
