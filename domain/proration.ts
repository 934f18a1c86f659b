import Big from 'big.js'
import {
  compareDates,
  cycleBoundary,
  cycleIndexOn,
  daysIn,
  earlierDate,
  laterDate,
  type BillingInterval,
  type Period,
} from './calendar.ts'
import { divide } from './money.ts'
import type { Terms } from './terms.ts'

export type Proration = Terms['proration']

/** How much of a whole: not reduced, so that both numbers can be explained, 22 of 30 days. */
export interface Share {
  readonly numerator: number
  readonly denominator: number
}

export interface ProratedAmount extends Share {
  /** Not rounded: exact to 40 decimals, so that only the one rounding after it counts. */
  readonly amount: Big
}

const nothing: Share = { numerator: 0, denominator: 1 }
const whole: Share = { numerator: 1, denominator: 1 }

/**
 * The share of a cycle that a part of it is charged for (C-20, C-21). Of 30.00 a month, 9 to 28 February 2026 is 20 of 28
 * days, 22 of 30 with `month_30`, and the whole with `none`. An empty part is nothing.
 */
export function shareOf(part: Period, cycle: Period, method: Proration): Share {
  const isEmpty = compareDates(part.start, part.end) >= 0
  if (method === 'none') return isEmpty ? nothing : whole
  const count = method === 'day' ? daysIn : daysOnFixedMonths
  const denominator = count(cycle)
  if (isEmpty) return { numerator: 0, denominator: denominator || 1 }
  // Only the 31st alone has no day of its own in months of 30 days, and then it is the whole cycle.
  return denominator === 0 ? whole : { numerator: count(part), denominator }
}

/** The share of a charge's period that was not served, when service ends early; with `none` nothing comes back. */
export function unusedShare(charged: Period, endsOn: string, method: Proration): Share {
  if (method === 'none') return nothing
  return shareOf({ start: laterDate(charged.start, endsOn), end: charged.end }, charged, method)
}

/** A share of an amount: 24.95 for 22 of 30 days is 18.29666…, to 40 decimals. */
export function applyShare(amount: Big, share: Share): Big {
  if (share.numerator === share.denominator) return amount
  return divide(amount.times(share.numerator), new Big(share.denominator))
}

/** What a part of a cycle costs of its full price, unrounded, and by which share. */
export function prorate(amount: Big, part: Period, cycle: Period, method: Proration): ProratedAmount {
  const share = shareOf(part, cycle, method)
  return { amount: applyShare(amount, share), ...share }
}

/**
 * Days of a period where every month has the same number of days: the difference of the day numbers, and so many more a
 * month's end between. 23 May to 15 June is 22 of months of 30 days. A period cut in two has the days of both.
 */
export function daysOnFixedMonths(period: Period, daysOfMonth = 30): number {
  const start = Temporal.PlainDate.from(period.start)
  const end = Temporal.PlainDate.from(period.end)
  const monthEnds = (end.year - start.year) * 12 + end.month - start.month
  return daysOfMonth * monthEnds - start.day + end.day
}

/** A charge on a finalized document, and what was credited of it before, both positive and in minor units. */
export interface CreditableCharge {
  readonly amountMinor: number
  readonly creditedMinor: number
}

/**
 * What is given back of a charge for a share of its period: prorated over what was billed, rounded once, and never more
 * than is left of it (C-23). 249.95 of which 10.00 was credited before gives back at most 239.95.
 * @returns minor units, 0 or more
 */
export function creditMinor(charge: CreditableCharge, share: Share): number {
  const prorated = applyShare(new Big(charge.amountMinor), share).round(0, Big.roundHalfUp)
  return Math.max(0, Math.min(Number(prorated.toFixed()), charge.amountMinor - charge.creditedMinor))
}

/**
 * Whole days that an unused amount buys at a new price, begun days given whole: 15.00 at 2.00 a day are 7.5, so 8 days.
 * The exact number explains it.
 */
export function daysBought(unused: Big, amountPerDay: Big): { exact: Big; days: number } {
  const exact = divide(unused, amountPerDay)
  return { exact, days: Number(exact.round(0, Big.roundUp).toFixed()) }
}

/**
 * A period measured in cycles that begin with it: whole ones, and the rest as days of the cycle that begins there.
 * 15 January to 10 April, both served, are 2 months and 27 of 31 days.
 */
export function measureInCycles(period: Period, interval: BillingInterval): { whole: number; rest: Share } {
  const count = cycleIndexOn(period.start, interval, laterDate(period.start, period.end))
  const cycle = {
    start: cycleBoundary(period.start, interval, count),
    end: cycleBoundary(period.start, interval, count + 1),
  }
  const rest = { start: cycle.start, end: earlierDate(laterDate(cycle.start, period.end), cycle.end) }
  return { whole: count, rest: { numerator: daysIn(rest), denominator: daysIn(cycle) } }
}
