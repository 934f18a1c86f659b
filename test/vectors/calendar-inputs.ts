import Big from 'big.js'
import { fromMinor, roundHalfAwayFromZero } from '#domain/money.ts'
import { billingInterval, type BillingInterval, type Period, type Recurrence } from '#domain/calendar.ts'
import type { BillingTiming } from '#domain/product.ts'

export type Inputs = Readonly<Record<string, unknown>>

const recurrences: Readonly<Record<string, Recurrence>> = {
  DAILY: { count: 1, unit: 'day' },
  WEEKLY: { count: 1, unit: 'week' },
  BIWEEKLY: { count: 2, unit: 'week' },
  THIRTY_DAYS: { count: 30, unit: 'day' },
  MONTHLY: { count: 1, unit: 'month' },
  MONTHLYLASTDAY: { count: 1, unit: 'month_last_day' },
  BIMESTRIAL: { count: 2, unit: 'month' },
  QUARTERLY: { count: 1, unit: 'quarter' },
  BIANNUAL: { count: 1, unit: 'half_year' },
  SEMIANNUAL: { count: 1, unit: 'half_year' },
  SEMESTERLY: { count: 1, unit: 'half_year' },
  HALF_YEARLY: { count: 1, unit: 'half_year' },
  ANNUAL: { count: 1, unit: 'year' },
  YEARLY: { count: 1, unit: 'year' },
  BIENNIAL: { count: 2, unit: 'year' },
  DAY: { count: 1, unit: 'day' },
  WEEK: { count: 1, unit: 'week' },
  MONTH: { count: 1, unit: 'month' },
  QUARTER: { count: 1, unit: 'quarter' },
  HALF_YEAR: { count: 1, unit: 'half_year' },
  YEAR: { count: 1, unit: 'year' },
}

/** The recurrence of a name such as MONTHLY, quarter or monthlylastday, so many times as long. */
export function recurrenceOf(name: unknown, count: unknown = 1): Recurrence {
  const found = typeof name === 'string' ? recurrences[name.toUpperCase()] : undefined
  if (!found) throw new Error(`no recurrence is called ${String(name)}`)
  return { count: found.count * Number(count), unit: found.unit }
}

export function intervalOf(name: unknown, count: unknown = 1): BillingInterval {
  return billingInterval(recurrenceOf(name, count))
}

const timings: Readonly<Record<string, BillingTiming>> = {
  IN_ADVANCE: 'advance',
  'pre-paid': 'advance',
  advance: 'advance',
  IN_ARREAR: 'arrears',
  'post-paid': 'arrears',
  arrears: 'arrears',
}

export function timingOf(name: unknown): BillingTiming {
  const found = timings[String(name)]
  if (!found) throw new Error(`no billing timing is called ${String(name)}`)
  return found
}

export function has(inputs: Inputs, ...names: readonly string[]): boolean {
  return names.every((name) => inputs[name] !== undefined && inputs[name] !== null)
}

/** A date or another text. */
export function text(inputs: Inputs, name: string): string {
  const value = inputs[name]
  if (typeof value !== 'string') throw new Error(`${name} is no text`)
  return value
}

/** One of several words, or undefined where nothing is said; a word that is none of them fails. */
export function wordOf<Word extends string>(inputs: Inputs, name: string, ...words: readonly Word[]) {
  if (!has(inputs, name)) return undefined
  const found = words.find((word) => word === inputs[name])
  if (found === undefined)
    throw new Error(`${name} is ${JSON.stringify(inputs[name])}, not ${words.join(' or ')}`)
  return found
}

/** A text that may be left out. */
export function textOr(inputs: Inputs, name: string, fallback: string): string {
  return has(inputs, name) ? text(inputs, name) : fallback
}

export function decimal(value: unknown): Big {
  if (value instanceof Big) return value
  if (typeof value !== 'number' && typeof value !== 'string') throw new Error(`no decimal: ${String(value)}`)
  return new Big(value)
}

export function integer(inputs: Inputs, name: string): number {
  return Number(decimal(inputs[name]).toFixed())
}

/** Two dates, half open unless the inputs say that the last one is inside. */
export function periodOf(inputs: Inputs, name: string): Period {
  const value = inputs[name]
  if (!Array.isArray(value)) throw new Error(`${name} is no period`)
  const [start, end] = withYears(value as [string, string])
  return { start, end: isEndInclusive(inputs) ? dayAfter(end) : end }
}

export function isEndInclusive(inputs: Inputs): boolean {
  return inputs['period_end'] === 'inclusive' || inputs['end'] === 'inclusive'
}

export function dayAfter(date: string): string {
  return Temporal.PlainDate.from(date).add({ days: 1 }).toString()
}

export function dayBefore(date: string): string {
  return Temporal.PlainDate.from(date).subtract({ days: 1 }).toString()
}

export function inclusive(period: Period): [string, string] {
  return [period.start, dayBefore(period.end)]
}

export function halfOpen(period: Period): [string, string] {
  return [period.start, period.end]
}

/** A date that is written without its year gets one; without a leap day near, unless asked. */
export function withYear(date: string, isLeapYear = false): string {
  if (date.length > 5) return date
  // A cycle that begins late in a year meets its February in the next one.
  const leap = date > '02-29' ? '2023' : '2024'
  return `${isLeapYear || date === '02-29' ? leap : '2021'}-${date}`
}

function withYears([start, end]: [string, string]): [string, string] {
  const first = withYear(start)
  const last = withYear(end)
  return [first, last < first ? Temporal.PlainDate.from(last).add({ years: 1 }).toString() : last]
}

/** Written as the input was: without the year where it had none. */
export function writtenLike(date: string, input: string): string {
  return input.length > 5 ? date : date.slice(5)
}

/** The examples count in cents whatever their currency. */
const inCents = 'EUR'

export function toCents(amount: Big): number {
  return roundHalfAwayFromZero(amount, inCents)
}

export function fromCents(cents: Big | number): Big {
  return fromMinor(Number(cents), inCents)
}

/** An amount in major units, under its name or under its name in cents. */
export function amountOf(inputs: Inputs, name: string, nameInCents: string): Big {
  return has(inputs, nameInCents) ? fromCents(integer(inputs, nameInCents)) : decimal(inputs[name])
}
