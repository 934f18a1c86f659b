import Big from 'big.js'
import { assert, unreachable } from './assert.ts'
import { divide } from './money.ts'

/** How values become one (D-12). `percentile` is the nearest rank: the value below which so many percent lie. */
export type Aggregation =
  | { readonly kind: 'sum' | 'max' | 'min' | 'average' | 'last' | 'count' | 'unique_count' }
  | { readonly kind: 'percentile'; readonly percent: number }

/**
 * One value of many, in their order of time. Nothing measured is 0. The average has 40 decimals.
 * 4, 9, 6 have a maximum of 9; of 1 to 100 the 95th percentile is 95.
 */
export function aggregate(values: readonly Big[], aggregation: Aggregation): Big {
  const last = values.at(-1)
  if (last === undefined) return new Big(0)
  switch (aggregation.kind) {
    case 'sum':
      return sum(values)
    case 'max':
      return values.reduce((highest, value) => (value.gt(highest) ? value : highest))
    case 'min':
      return values.reduce((lowest, value) => (value.lt(lowest) ? value : lowest))
    case 'average':
      return divide(sum(values), new Big(values.length))
    case 'last':
      return last
    case 'count':
      return new Big(values.length)
    case 'unique_count':
      return new Big(countUnique(values.map((value) => value.toFixed())))
    case 'percentile':
      return percentile(values, aggregation.percent)
    default:
      return unreachable(aggregation)
  }
}

/** How many different ones there are, whatever they name: users, addresses. */
export function countUnique(names: readonly string[]): number {
  return new Set(names).size
}

/** The value at rank ⌈percent × count / 100⌉ of the sorted values, counted from 1. */
function percentile(values: readonly Big[], percent: number): Big {
  assert(percent > 0 && percent <= 100, `a percentile is above 0 and at most 100, got ${percent}`)
  const rank = new Big(percent).times(values.length).div(100).round(0, Big.roundUp).toNumber()
  const value = values.toSorted((first, second) => first.cmp(second))[rank - 1]
  assert(value, 'a rank lies within the values')
  return value
}

/** Named values of which each is the latest of its name: an event that was sent again replaces the first. */
export function latestOfEach<Named extends { readonly id: string }>(values: readonly Named[]): Named[] {
  return [...new Map(values.map((value) => [value.id, value])).values()]
}

/** A value in force for some time; the unit of time is the caller's. */
export interface HeldValue {
  readonly value: Big
  readonly duration: number
}

/**
 * The average over a time in which values were in force (D-13): 10 GiB for 10 days and 20 GiB for 20 of 30 days are
 * 16.666… GiB, to 40 decimals. Time in which nothing was in force counts as 0.
 */
export function timeWeightedAverage(held: readonly HeldValue[], totalDuration: number): Big {
  assert(totalDuration > 0, 'an average over time needs a time')
  return divide(sum(held.map(({ value, duration }) => value.times(duration))), new Big(totalDuration))
}

/** The highest value of each bucket of time, an hour or a day, in their order. Empty buckets have none. */
export function bucketMaxima(buckets: readonly (readonly Big[])[]): Big[] {
  return buckets.filter((values) => values.length > 0).map((values) => aggregate(values, { kind: 'max' }))
}

function sum(values: readonly Big[]): Big {
  return values.reduce((total, value) => total.plus(value), new Big(0))
}
