import { assert, unreachable } from './assert.ts'
import { BusinessError } from './errors.ts'

export type IntervalUnit = 'day' | 'week' | 'month' | 'month_last_day' | 'quarter' | 'half_year' | 'year'
export const intervalUnits: readonly IntervalUnit[] = [
  'day',
  'week',
  'month',
  'month_last_day',
  'quarter',
  'half_year',
  'year',
]

/** How often a product recurs, as it is sold: every `count` `unit`s. */
export interface Recurrence {
  readonly count: number
  readonly unit: IntervalUnit
}

/** A recurrence by its length, so that a quarter and three months lie on one document. */
export interface BillingInterval {
  readonly count: number
  readonly unit: 'day' | 'month' | 'month_last_day'
}

/** Half-open: the first day is inside, the end is the first day after. Dates as ISO text. */
export interface Period {
  readonly start: string
  readonly end: string
}

const lengths: Readonly<Record<IntervalUnit, BillingInterval>> = {
  day: { count: 1, unit: 'day' },
  week: { count: 7, unit: 'day' },
  month: { count: 1, unit: 'month' },
  month_last_day: { count: 1, unit: 'month_last_day' },
  quarter: { count: 3, unit: 'month' },
  half_year: { count: 6, unit: 'month' },
  year: { count: 12, unit: 'month' },
}

/**
 * The recurrence by its length: a quarter is 3 months, two weeks are 14 days.
 * @throws `recurrence_invalid` if the count is not a whole number from 1
 */
export function billingInterval(recurrence: Recurrence): BillingInterval {
  if (!Number.isInteger(recurrence.count) || recurrence.count < 1) {
    throw new BusinessError('recurrence_invalid', 'A recurrence is a whole number from 1 and a unit.')
  }
  const length = lengths[recurrence.unit]
  return { count: length.count * recurrence.count, unit: length.unit }
}

/**
 * Boundary n of a billing cycle, always counted from the anchor, never from the boundary before. A day that the
 * month lacks becomes its last day, and the anchor's own day comes back: 31 January, 28 February, 31 March.
 * With `month_last_day` every boundary after the first is the first of a month: 5 January, 1 February, 1 March.
 * Boundaries before the anchor have negative numbers; `month_last_day` has none, see `cycleHolding`.
 */
export function cycleBoundary(anchor: string, interval: BillingInterval, n: number): string {
  assert(Number.isInteger(n), `a cycle boundary is a whole number, got ${n}`)
  const count = interval.count * n
  switch (interval.unit) {
    case 'day':
      return addDays(anchor, count)
    case 'month':
      return addMonths(anchor, count)
    case 'month_last_day':
      assert(n >= 0, `with month_last_day boundaries are counted from 0, got ${n}`)
      return n === 0 ? anchor : addMonths(`${anchor.slice(0, 8)}01`, count)
    default:
      return unreachable(interval.unit)
  }
}

/**
 * By plain numbers: a run over ten thousand documents counts a hundred thousand boundaries, and objects of dates took half
 * of the time of all else that is computed. A day that the month lacks becomes its last day.
 */
function addMonths(date: string, months: number): string {
  const elapsed = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months
  const year = Math.floor(elapsed / 12)
  const month = elapsed - year * 12 + 1
  const day = Math.min(Number(date.slice(8)), daysOfMonth(year, month))
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** Cycle n: from boundary n to boundary n + 1. */
export function cyclePeriod(anchor: string, interval: BillingInterval, n: number): Period {
  return { start: cycleBoundary(anchor, interval, n), end: cycleBoundary(anchor, interval, n + 1) }
}

/**
 * The days that a full price pays for in cycle n. It is the cycle itself, but for a first one with `month_last_day`: that
 * begins inside its month, and is a part of it. 5 to 31 January are 27 of 31 days.
 */
export function fullCycle(anchor: string, interval: BillingInterval, n: number): Period {
  const period = cyclePeriod(anchor, interval, n)
  if (interval.unit !== 'month_last_day') return period
  return { start: Temporal.PlainDate.from(period.start).with({ day: 1 }).toString(), end: period.end }
}

/** Index of the cycle that holds the date; 0 for every date before the anchor's first boundary. */
export function cycleIndexOn(anchor: string, interval: BillingInterval, date: string): number {
  let index = Math.max(0, estimateIndex(anchor, interval, date) - 1)
  while (compareDates(cycleBoundary(anchor, interval, index + 1), date) <= 0) index += 1
  return index
}

/**
 * The full cycle that holds the date, also before the anchor: counted from 15 June, 1 June lies in 15 May to 15 June. It
 * is what a part that begins on that date is a part of (C-20).
 */
export function cycleHolding(anchor: string, interval: BillingInterval, date: string): Period {
  if (interval.unit === 'month_last_day') {
    const firstOfMonth = Temporal.PlainDate.from(anchor).with({ day: 1 }).toString()
    return cycleHolding(firstOfMonth, { count: interval.count, unit: 'month' }, date)
  }
  let index = estimateIndex(anchor, interval, date) - 2
  while (compareDates(cycleBoundary(anchor, interval, index + 1), date) <= 0) index += 1
  return cyclePeriod(anchor, interval, index)
}

/** A guess that is at most one cycle too high and never more than two too low. */
function estimateIndex(anchor: string, interval: BillingInterval, date: string): number {
  const elapsed = interval.unit === 'day' ? daysIn({ start: anchor, end: date }) : monthsBetween(anchor, date)
  return Math.floor(elapsed / interval.count)
}

function monthsBetween(from: string, to: string): number {
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4))
  const months = years * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7))
  return to.slice(8) < from.slice(8) ? months - 1 : months
}

const dayMs = 86_400_000

/** Whole days from the start to the end of a period. */
export function daysIn(period: Period): number {
  return (Date.parse(period.end) - Date.parse(period.start)) / dayMs
}

/** Less than 0, 0, or more than 0, as the first date is before, on, or after the second: ISO dates sort as text. */
export function compareDates(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0
}

/** The days two periods share, or undefined if they share none. An open end is null. */
export function intersect(first: { start: string; end: string | null }, second: Period): Period | undefined {
  const start = laterDate(first.start, second.start)
  const end = first.end === null ? second.end : earlierDate(first.end, second.end)
  return compareDates(start, end) < 0 ? { start, end } : undefined
}

export function laterDate(first: string, second: string): string {
  return compareDates(first, second) >= 0 ? first : second
}

export function earlierDate(first: string, second: string): string {
  return compareDates(first, second) <= 0 ? first : second
}

/** The calendar date of an instant in a time zone: 2026-03-31T23:30Z is 1 April in Paris. */
export function dateIn(timeZone: string, instant: string): string {
  return remember(datesByInstant, `${timeZone} ${instant}`, () =>
    Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString(),
  )
}

/** The instant at which a date begins in a time zone, daylight-saving changes included. */
export function startOfDay(timeZone: string, date: string): string {
  return remember(instantsByDate, `${timeZone} ${date}`, () =>
    Temporal.PlainDate.from(date).toZonedDateTime(timeZone).toInstant().toString(),
  )
}

// The bills of a day ask for the same few days and instants thousands of times, and a zone's rules are slow to apply.
const datesByInstant = new Map<string, string>()
const instantsByDate = new Map<string, string>()
const rememberedAtMost = 1_000

function remember(known: Map<string, string>, key: string, find: () => string): string {
  const before = known.get(key)
  if (before !== undefined) return before
  const found = find()
  if (known.size >= rememberedAtMost) known.clear()
  known.set(key, found)
  return found
}

/** A date so many days later. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * dayMs).toISOString().slice(0, 10)
}
