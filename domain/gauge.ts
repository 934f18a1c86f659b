import Big from 'big.js'
import { aggregate, bucketMaxima, type Aggregation } from './aggregation.ts'
import { unreachable } from './assert.ts'
import { roundDecimal } from './money.ts'
import { fromBaseUnit } from './unit.ts'
import type { InstantWindow, MetricRule } from './usage.ts'

/** The value of a gauge from an instant on, in the base unit. */
export interface GaugePoint {
  readonly at: string
  readonly value: Big
}

/** What the points of a window come to. Exact decimals in the base unit, so that whoever adds them up adds the same. */
export interface GaugeSums {
  /** Of the points inside: by what of them the rule is made of, see `sumPoints`; '0' where there are none. */
  readonly amount: string
  readonly points: number
  readonly firstPointAt: string | null
  /** What was in force when the window began; '0' where nothing was. */
  readonly carried: string
}

/** As every window, without its start and with its end: a value on the boundary belongs to the period before it. */
export function isInside(instant: string, window: InstantWindow): boolean {
  return Date.parse(instant) > Date.parse(window.start) && Date.parse(instant) <= Date.parse(window.end)
}

/** @param points in the order of time, those before the window too */
export function sumPoints(rule: MetricRule, window: InstantWindow, points: readonly GaugePoint[]): GaugeSums {
  const inside = points.filter((point) => isInside(point.at, window))
  const carried = points.findLast((point) => Date.parse(point.at) <= Date.parse(window.start))
  return {
    amount: amountOf(rule, window, inside).toFixed(),
    points: inside.length,
    firstPointAt: inside[0]?.at ?? null,
    carried: (carried?.value ?? new Big(0)).toFixed(),
  }
}

function amountOf(rule: MetricRule, window: InstantWindow, inside: readonly GaugePoint[]): Big {
  const by = (aggregation: Aggregation) =>
    aggregate(
      inside.map(({ value }) => value),
      aggregation,
    )
  switch (rule.aggregation) {
    case 'count':
    case 'unique_count':
    case 'max':
    case 'min':
      return by({ kind: rule.aggregation })
    case 'average':
      return by({ kind: 'sum' })
    case 'percentile':
      return by({ kind: 'percentile', percent: rule.percent ?? 100 })
    case 'time_weighted_average':
      return aggregate(heldFor(inside, window), { kind: 'sum' })
    case 'bucket_max':
      return aggregate(bucketMaxima(bucketsOf(inside, window, rule.bucketSeconds ?? 3600)), { kind: 'sum' })
    case 'sum':
    case 'last':
      return by({ kind: 'last' })
    default:
      return unreachable(rule.aggregation)
  }
}

/** Each value times the milliseconds until the next one, the last until the window's end. */
function heldFor(inside: readonly GaugePoint[], window: InstantWindow): Big[] {
  return inside.map(({ at, value }, index) =>
    value.times(Date.parse(inside[index + 1]?.at ?? window.end) - Date.parse(at)),
  )
}

/** As a window, a bucket has its end and not its start. */
function bucketsOf(inside: readonly GaugePoint[], window: InstantWindow, bucketSeconds: number): Big[][] {
  const indexOf = ({ at }: GaugePoint) =>
    Math.ceil((Date.parse(at) - Date.parse(window.start)) / (bucketSeconds * 1000))
  return [...Map.groupBy(inside, indexOf).values()].map((points) => points.map(({ value }) => value))
}

/** A quantity that can be printed, priced and recomputed. */
const averageDigits = 10

/**
 * What was in force before stays in force until something else is measured. An average has 10 decimals: 10 GiB for 10 days
 * and 20 GiB for 20 of 30 days are 16.6666666667 GiB (D-13).
 * @throws `unit_unknown`
 */
export function gaugeQuantity(rule: MetricRule, window: InstantWindow, sums: GaugeSums, unit: string): Big {
  const amount = new Big(sums.amount)
  switch (rule.aggregation) {
    case 'count':
    case 'unique_count':
      return amount
    case 'bucket_max':
      return fromBaseUnit(amount, unit)
    case 'time_weighted_average': {
      const startMs = Date.parse(window.start)
      const carriedMs = Date.parse(sums.firstPointAt ?? window.end) - startMs
      const held = amount.plus(new Big(sums.carried).times(carriedMs))
      return roundDecimal(fromBaseUnit(held, unit, new Big(Date.parse(window.end) - startMs)), averageDigits)
    }
    case 'average':
      return roundDecimal(
        sums.points === 0
          ? fromBaseUnit(new Big(sums.carried), unit)
          : fromBaseUnit(amount, unit, new Big(sums.points)),
        averageDigits,
      )
    case 'max':
    case 'min':
    case 'percentile':
    case 'sum':
    case 'last':
      return fromBaseUnit(sums.points === 0 ? new Big(sums.carried) : amount, unit)
    default:
      return unreachable(rule.aggregation)
  }
}
