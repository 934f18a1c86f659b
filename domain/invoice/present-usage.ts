import Big from 'big.js'
import { addDays, compareDates, startOfDay, type Period } from '../calendar.ts'
import { divide, formatMoney, roundDecimal } from '../money.ts'
import type { UsagePart, MeasuredUsage } from './lines.ts'
import { counted, grouped } from '../pricing/describe.ts'
import { ratePart } from './rating.ts'

/** What a metered line has used in the billing period that runs, and what it costs so far, before discounts and tax. */
export interface PresentUsage {
  readonly period: Period
  /** Decimals in the unit. Days that were billed early are in it. */
  readonly quantity: string
  readonly unit: string
  /** Of the quantity, what costs nothing; null where none does. */
  readonly includedQuantity: string | null
  readonly costMinor: number
  readonly unbilledMinor: number
  /** Null before anything can be said of the pace. */
  readonly projection: UsageProjection | null
}

/** Where the period ends if as much goes on being used. */
export interface UsageProjection {
  /** Its last day. */
  readonly on: string
  readonly quantity: string
  readonly costMinor: number
}

export interface PresentTerms {
  readonly currency: string
  readonly timeZone: string
  /** Now, as a UTC instant. */
  readonly at: string
  /** A sum grows with time; a highest or average value is taken to stay as it is. */
  readonly isSum: boolean
}

/**
 * The present usage of one part that is to be billed at the end of its cycle, by the function that bills it: 62 GiB of 100
 * included, on the 16th of a month of 31 days, go on to about 118 GiB, which cost 18.00 at 1.00 a GiB.
 * @throws as `ratePart`
 */
export function presentUsage(part: UsagePart, measured: MeasuredUsage, terms: PresentTerms): PresentUsage {
  const { currency } = terms
  const quantity = new Big(measured.usage.quantity).plus(part.billedQuantity ?? 0)
  const unbilledMinor = ratePart(part, { currency, usageOf: () => measured }).ratedMinor
  const period = periodOf(part)
  return {
    period,
    quantity: quantity.toFixed(),
    unit: measured.usage.unit,
    includedQuantity: part.line.price.includedQuantity ?? null,
    costMinor: unbilledMinor + billedMinor(part),
    unbilledMinor,
    projection: project(part, { quantity, period, terms, measured }),
  }
}

/** The part of the cycle in which the line is served. */
function periodOf({ line, cycle, servicePeriod }: UsagePart): Period {
  const start = compareDates(line.startsOn, cycle.start) > 0 ? line.startsOn : cycle.start
  return { start, end: servicePeriod.end }
}

/** What of the cycle was billed early. */
function billedMinor({ line, cycle, billedQuantity }: UsagePart): number {
  if (billedQuantity === undefined) return 0
  return line.billed
    .filter(({ kind }) => kind === 'usage' || kind === 'late_usage')
    .filter(
      ({ servicePeriod }) => servicePeriod !== null && compareDates(cycle.start, servicePeriod.start) <= 0,
    )
    .reduce((sum, { ratedMinor }) => sum + ratedMinor, 0)
}

/** Nothing is said of a pace in the first hour. */
const leastMs = 3_600_000

function project(
  part: UsagePart,
  of: { quantity: Big; period: Period; terms: PresentTerms; measured: MeasuredUsage },
): UsageProjection | null {
  const { period, terms } = of
  const [start, end] = [period.start, period.end].map((date) => Date.parse(startOfDay(terms.timeZone, date)))
  const now = Date.parse(terms.at)
  if (start === undefined || end === undefined || now - start < leastMs || now >= end) return null
  const grown = divide(of.quantity.times(end - start), new Big(now - start))
  const quantity = terms.isSum ? atLeast(of.quantity, toLegible(grown)) : of.quantity
  const usage = { ...of.measured.usage, quantity: quantity.toFixed() }
  const whole = { kind: 'usage', line: part.line, servicePeriod: period, cycle: part.cycle } as const
  const values = part.values === undefined ? {} : { values: part.values }
  // A share of values asks for the events behind them: one is taken.
  const events = { kind: 'each', values: [usage.quantity] } as const
  const rated = ratePart(
    { ...whole, ...values },
    { currency: terms.currency, usageOf: () => ({ usage, events }) },
  )
  return { on: addDays(period.end, -1), quantity: usage.quantity, costMinor: rated.ratedMinor }
}

/** What is used already is not foreseen as less, by however little a forecast is rounded. */
function atLeast(used: Big, foreseen: Big): Big {
  return foreseen.lt(used) ? used : foreseen
}

/** A forecast is no more exact than three digits, or its whole part: 118, 11.8, 1.18, 0.00118. */
function toLegible(quantity: Big): Big {
  return roundDecimal(quantity, Math.max(0, digitsForThree(quantity)))
}

/** Digits after the point with which three are seen; below 0 where there are more before it. */
function digitsForThree(value: Big): number {
  return 2 - value.e
}

/** `62 of 100 GiB. At this pace 118 GiB on 31 May: 18.00 USD.` */
export function sayPresentUsage(
  { quantity, unit, includedQuantity, costMinor, projection }: PresentUsage,
  currency: string,
): string {
  const say = (amount: string) => counted(readableQuantity(amount), unit)
  const now =
    includedQuantity === null
      ? say(quantity)
      : `${grouped(readableQuantity(quantity))} of ${say(includedQuantity)}`
  if (projection === null) return `${now}: ${formatMoney(costMinor, currency)} so far.`
  const cost = formatMoney(projection.costMinor, currency)
  return `${now}. At this pace ${say(projection.quantity)} on ${sayDay(projection.on)}: ${cost}.`
}

/**
 * A decimal with as many digits as somebody reads; of little, so many that it is not read as nothing.
 * @example readableQuantity('118.4') // '118'
 * readableQuantity('11.847') // '11.85'
 * readableQuantity('0.0041237') // '0.00412'
 */
export function readableQuantity(quantity: string): string {
  const whole = new Big(quantity)
  const digits = whole.gte(100) ? 0 : whole.gte('0.1') ? 2 : digitsForThree(whole)
  return roundDecimal(whole, digits).toFixed()
}

const months = 'January February March April May June July August September October November December'.split(
  ' ',
)

function sayDay(date: string): string {
  return `${Number(date.slice(8))} ${months[Number(date.slice(5, 7)) - 1] ?? ''}`
}
