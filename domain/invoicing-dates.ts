import { assert } from './assert.ts'
import {
  addDays,
  compareDates,
  cycleBoundary,
  cycleIndexOn,
  earlierDate,
  laterDate,
  type BillingInterval,
  type Period,
} from './calendar.ts'
import type { BillingTiming } from './product.ts'

/** What decides when a line is invoiced, and for which days. */
export interface InvoicedLine {
  readonly startsOn: string
  /** The first day that is not served any more; null while open. */
  readonly endsOn: string | null
  /** The first day that was not billed yet; null while nothing was. */
  readonly billedUntil: string | null
  readonly interval: BillingInterval
  readonly timing: BillingTiming
  /** Days from the first day of a period (advance) or from its last (arrears) to the date of its invoice. */
  readonly offsetDays: number
  /** A next invoice date that a person set; the period that is billed on it ends accordingly (C-13). */
  readonly forcedInvoiceOn: string | null
}

/** A period, and the date of the invoice that bills it. */
export interface InvoicingTurn {
  readonly period: Period
  readonly invoiceOn: string
}

/**
 * Days from the first day of a period (advance) or its last (arrears) to its invoice: advance bills on the first day,
 * arrears on the day after the last, and what is counted by the month's last day on that very day.
 */
export function offsetDays(timing: BillingTiming, unit: BillingInterval['unit']): number {
  return timing === 'arrears' && unit !== 'month_last_day' ? 1 : 0
}

/**
 * The date from which cycles are counted once a line has reached a day. It is the line's start while that day is one of its
 * boundaries, so that a line from 31 January comes back to the 31st. What was forced or moved leaves that rhythm, and is
 * counted from the day itself.
 */
export function anchorInForce(startsOn: string, interval: BillingInterval, reachedOn: string): string {
  if (compareDates(reachedOn, startsOn) <= 0) return startsOn
  const boundary = cycleBoundary(startsOn, interval, cycleIndexOn(startsOn, interval, reachedOn))
  return boundary === reachedOn ? startsOn : reachedOn
}

/** The end of the cycle that begins where a line has arrived. */
export function nextBoundary(startsOn: string, interval: BillingInterval, reachedOn: string): string {
  const anchor = anchorInForce(startsOn, interval, reachedOn)
  return cycleBoundary(anchor, interval, cycleIndexOn(anchor, interval, reachedOn) + 1)
}

/**
 * The days that the next invoice of a line bills; undefined when there are none any more. One invoice bills one cycle, the
 * last one cut at the line's end. Monthly from 5 January to 15 March: from 5 January, 5 February, and 5 to 14 March.
 * A forced invoice date moves the end: in arrears the period ends where the invoice is made, in advance one cycle after.
 * Billed until 5 February and forced to 5 June: 5 February to 5 June in arrears, 5 February to 5 July in advance.
 */
export function nextPeriod(line: InvoicedLine): Period | undefined {
  const start = line.billedUntil ?? line.startsOn
  if (line.endsOn !== null && compareDates(start, line.endsOn) >= 0) return undefined
  const whole =
    line.forcedInvoiceOn === null
      ? nextBoundary(line.startsOn, line.interval, start)
      : forcedEnd(line, line.forcedInvoiceOn)
  const end = line.endsOn === null ? whole : earlierDate(whole, line.endsOn)
  return compareDates(start, end) < 0 ? { start, end } : undefined
}

function forcedEnd(line: InvoicedLine, invoiceOn: string): string {
  const firstOrLast = addDays(invoiceOn, -line.offsetDays)
  return line.timing === 'advance' ? cycleBoundary(firstOrLast, line.interval, 1) : addDays(firstOrLast, 1)
}

/**
 * The date of the next invoice of a line, the forced one where a person set it; undefined when nothing is left to bill.
 * Monthly in arrears from 5 January to 15 March: 5 February, 5 March, 15 March.
 */
export function nextInvoiceOn(line: InvoicedLine): string | undefined {
  const period = nextPeriod(line)
  return period && (line.forcedInvoiceOn ?? invoiceOnOf(line, period))
}

function invoiceOnOf(line: InvoicedLine, period: Period): string {
  const day = line.timing === 'advance' ? period.start : addDays(period.end, -1)
  return addDays(day, line.offsetDays)
}

/** The line after its next invoice: one period is billed, and a forced date is used up. Unchanged when none was left. */
export function afterInvoice<Line extends InvoicedLine>(line: Line): Line {
  const period = nextPeriod(line)
  return period ? { ...line, billedUntil: period.end, forcedInvoiceOn: null } : line
}

/**
 * The invoices of a line to come, oldest first, as long as their periods end by the horizon. What is simulated and what
 * is billed are the same dates, because both are counted by `nextPeriod`.
 * @param horizonOn the first day after what is asked; null lists to the line's end, which it then must have
 */
export function listTurns(line: InvoicedLine, horizonOn: string | null): InvoicingTurn[] {
  assert(horizonOn !== null || line.endsOn !== null, 'a line without an end is listed to a horizon')
  const turns: InvoicingTurn[] = []
  for (let current = line; ; current = afterInvoice(current)) {
    const period = nextPeriod(current)
    if (!period || (horizonOn !== null && compareDates(period.end, horizonOn) > 0)) return turns
    turns.push({ period, invoiceOn: current.forcedInvoiceOn ?? invoiceOnOf(current, period) })
  }
}

/** The next invoice date of a document: the earliest of its lines; undefined when none has one (C-02). */
export function documentInvoiceOn(lineDates: readonly (string | null)[]): string | undefined {
  return lineDates
    .filter((date) => date !== null)
    .reduce<string | undefined>(
      (first, date) => (first === undefined ? date : earlierDate(first, date)),
      undefined,
    )
}

/** The end of a document: the latest of its lines' ends, and none while one of them is open. */
export function documentEndsOn(lineEnds: readonly (string | null)[]): string | null {
  const ends = lineEnds.filter((date) => date !== null)
  const [first, ...others] = ends
  if (first === undefined || ends.length < lineEnds.length) return null
  return others.reduce(laterDate, first)
}

/** The end of a fee that is limited to so many periods: the first day after the last of them. */
export function instalmentsEndOn(startsOn: string, interval: BillingInterval, periodCount: number): string {
  return cycleBoundary(startsOn, interval, periodCount)
}

/**
 * The days that a full quantity pays for on an invoice of this date: the cycle from it in advance, the cycle up to it in
 * arrears. By the month's last day it is the whole calendar month, so that a line that begins inside it pays its share.
 */
export function fullPeriodOf(line: InvoicedLine, invoiceOn: string): Period {
  const { unit } = line.interval
  if (line.timing === 'advance') {
    const start = unit === 'month_last_day' ? firstOfMonth(invoiceOn) : invoiceOn
    return { start, end: cycleBoundary(start, line.interval, 1) }
  }
  const end = unit === 'month_last_day' ? addDays(invoiceOn, 1) : invoiceOn
  return { start: stepBack(end, line.interval), end }
}

/**
 * Until when a line was billed, told from its next invoice date alone: for lines that come from a system that kept no
 * other date. Monthly, next on 1 March: until 1 March in advance, until 1 February in arrears. Null when nothing was.
 */
export function billedUntilBefore(line: InvoicedLine, invoiceOn: string): string | null {
  const firstOrLast = addDays(invoiceOn, -line.offsetDays)
  const until = line.timing === 'advance' ? firstOrLast : stepBack(addDays(firstOrLast, 1), line.interval)
  return compareDates(until, line.startsOn) <= 0 ? null : until
}

function stepBack(date: string, { count, unit }: BillingInterval): string {
  const length = unit === 'day' ? { days: count } : { months: count }
  return Temporal.PlainDate.from(date).subtract(length).toString()
}

function firstOfMonth(date: string): string {
  return Temporal.PlainDate.from(date).with({ day: 1 }).toString()
}
