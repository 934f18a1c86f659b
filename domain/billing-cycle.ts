import { assert } from './assert.ts'
import {
  addDays,
  compareDates,
  cycleBoundary,
  cycleHolding,
  intersect,
  type BillingInterval,
  type IntervalUnit,
  type Period,
} from './calendar.ts'
import { BusinessError, fieldError } from './errors.ts'

/** From which day on cycles are counted from which date. A document that never moved its anchor has one. */
export interface AnchorInForce {
  readonly from: string
  readonly anchor: string
}

/** The anchor that was in force before another one, until a day. */
export interface FormerAnchor {
  readonly anchor: string
  readonly until: string
}

/** The anchor by which the cycle of a day is counted. */
export function anchorOn(
  cycles: { readonly billingCycleAnchor: string; readonly formerAnchor?: FormerAnchor | null | undefined },
  day: string,
): string {
  const { billingCycleAnchor, formerAnchor } = cycles
  return formerAnchor && compareDates(day, formerAnchor.until) < 0 ? formerAnchor.anchor : billingCycleAnchor
}

/** Days that one price pays for, and the full cycle that they are a part of. */
export interface ServicePart {
  readonly period: Period
  readonly cycle: Period
}

/**
 * The calendar's own period that holds a date: the week from Monday, the month, the quarter, the half-year, the year.
 * 15 August 2026 lies in the quarter 1 July to 1 October.
 */
export function calendarPeriod(date: string, unit: IntervalUnit): Period {
  const day = Temporal.PlainDate.from(date)
  if (unit === 'day') return { start: date, end: day.add({ days: 1 }).toString() }
  if (unit === 'week') {
    const monday = day.subtract({ days: day.dayOfWeek - 1 })
    return { start: monday.toString(), end: monday.add({ days: 7 }).toString() }
  }
  const months = monthsIn(unit)
  const start = day.with({ day: 1 }).subtract({ months: (day.month - 1) % months })
  return { start: start.toString(), end: start.add({ months }).toString() }
}

/** Months of a calendar period of that unit. */
export function monthsIn(unit: Exclude<IntervalUnit, 'day' | 'week'>): number {
  return { month: 1, month_last_day: 1, quarter: 3, half_year: 6, year: 12 }[unit]
}

/**
 * The anchor of a cycle that follows the calendar (C-05): the first day of the calendar's period that holds the start.
 * Every two months from 15 August are counted from 1 August.
 */
export function calendarAnchor(startsOn: string, unit: IntervalUnit): string {
  return calendarPeriod(startsOn, unit).start
}

/**
 * The anchor of a cycle that turns on a day of the month: its first boundary from the start on is that day of the start's
 * own month where it is not past, else that day one period later. From 16 September every month on day 25: anchor
 * 25 August, boundary 25 September. The anchor lies in a month that has the day, so that 31 is not lost in a start of
 * April. Cycles counted in days have no day of the month; they begin at the start.
 * @throws `field_invalid` if the day is not a whole number from 1 to 31
 */
export function anchorOnBillingDay(startsOn: string, billingDay: number, interval: BillingInterval): string {
  if (!Number.isInteger(billingDay) || billingDay < 1 || billingDay > 31) {
    throw fieldError('/billing_day', 'field_invalid', 'A billing day is a whole number from 1 to 31.')
  }
  if (interval.unit !== 'month') return startsOn
  const start = Temporal.PlainDate.from(startsOn)
  // `with` and `add` take the last day of a month that lacks the day.
  const own = start.with({ day: billingDay })
  const isPast = Temporal.PlainDate.compare(own, start) < 0
  const candidates = Array.from({ length: longestSearch }, (_, step) =>
    start
      .with({ day: 1 })
      .subtract({ months: interval.count * (isPast ? step : step + 1) })
      .with({ day: billingDay }),
  )
  return candidates.reduce((best, date) => (date.day > best.day ? date : best)).toString()
}

/** Yearly from 29 February finds one within eight years, even around a year like 2100. */
const longestSearch = 9

/** The first boundary on or after a date. */
export function boundaryFrom(anchor: string, interval: BillingInterval, date: string): string {
  const cycle = cycleHolding(anchor, interval, date)
  return cycle.start === date ? date : cycle.end
}

/** The first boundary after a date. */
export function boundaryAfter(anchor: string, interval: BillingInterval, date: string): string {
  return cycleHolding(anchor, interval, date).end
}

/** Where a document stands in its cycle. */
export interface CycleStand {
  readonly interval: BillingInterval
  readonly nextPeriodIndex: number
  /** The first day of the next period. */
  readonly nextInvoiceOn: string
}

/**
 * The day on which the invoice of a document's next period is made: so many days before the period begins, but the first
 * one when it does (C-18). For April, 7 days before: 25 March.
 */
export function issueDay(
  stand: Pick<CycleStand, 'nextPeriodIndex' | 'nextInvoiceOn'> & { readonly advanceDays: number },
): string {
  const { nextPeriodIndex, nextInvoiceOn, advanceDays } = stand
  return nextPeriodIndex === 0 ? nextInvoiceOn : addDays(nextInvoiceOn, -advanceDays)
}

/** So long a wait for an invoice is a mistake. */
const mostPassedOver = 60

/**
 * The periods that have no invoice of their own where the next invoice is forced to a later boundary (C-13). Monthly with
 * the next invoice on 5 February, forced to 5 June: four, from 5 February to 5 June.
 * @throws `date_range_invalid` for a day that is not a later boundary, or is more than 60 periods away
 */
export function passOverPeriods(
  stand: CycleStand & { readonly anchor: string },
  invoiceOn: string,
): Period[] {
  const { anchor, interval, nextPeriodIndex, nextInvoiceOn } = stand
  const endOf = (count: number) => cycleBoundary(anchor, interval, nextPeriodIndex + count + 1)
  const passed: Period[] = []
  let start = nextInvoiceOn
  while (compareDates(start, invoiceOn) < 0 && passed.length < mostPassedOver) {
    const end = endOf(passed.length)
    passed.push({ start, end })
    start = end
  }
  if (passed.length === 0 || start !== invoiceOn) {
    const days = [0, 1].map(endOf).join(', ')
    const detail = `The next invoice is moved to the first day of a later period: ${days} and so on, ${mostPassedOver} at most.`
    throw fieldError('/next_invoice_on', 'date_range_invalid', detail)
  }
  return passed
}

/**
 * A new rhythm from the next period on (C-45): it is a bridge to the first day of the first full one, and part of a full
 * cycle of the new rhythm. From 1 June with the first full period on 15 June, 1 to 14 June is 14 of 31 days. Numbers of
 * periods go on, perhaps with a gap: the anchor lies in a month that has the day, so that 31 is not lost.
 * @throws `action_not_allowed` for months by their last day, `date_range_invalid` for a bridge longer than a cycle
 */
export function moveAnchor(stand: CycleStand, firstFullOn: string): { anchor: string; periodIndex: number } {
  const { interval, nextPeriodIndex, nextInvoiceOn } = stand
  if (interval.unit === 'month_last_day') {
    const detail = 'Months by their last day have no other rhythm; sell another interval.'
    throw new BusinessError('action_not_allowed', detail)
  }
  const latest = Temporal.PlainDate.from(nextInvoiceOn).add(lengthOf(interval, 1)).toString()
  if (compareDates(firstFullOn, nextInvoiceOn) <= 0 || compareDates(firstFullOn, latest) > 0) {
    const detail = `The first full period begins after ${nextInvoiceOn}, and on ${latest} or before.`
    throw fieldError('/first_full_period_on', 'date_range_invalid', detail)
  }
  const first = Temporal.PlainDate.from(firstFullOn)
  for (let periodIndex = nextPeriodIndex; ; periodIndex += 1) {
    const anchor = first.subtract(lengthOf(interval, periodIndex + 1))
    if (interval.unit === 'day' || anchor.day === first.day) return { anchor: anchor.toString(), periodIndex }
  }
}

function lengthOf({ count, unit }: BillingInterval, times: number) {
  return unit === 'day' ? { days: count * times } : { months: count * times }
}

/** One interval after a boundary, on the billing day that is remembered: 29 February, day 31, gives 31 March. */
export function stepBoundary(boundary: string, interval: BillingInterval, billingDay: number): string {
  if (interval.unit !== 'month') return cycleBoundary(boundary, interval, 1)
  const month = Temporal.PlainDate.from(boundary).with({ day: 1 }).add({ months: interval.count })
  return month.with({ day: billingDay }).toString()
}

/**
 * What a life is billed in: parts that tile it, cut at every boundary, at every change of anchor and at its end, as far as
 * they begin before `until`. Each names the cycle of the anchor that is in force on its first day. When day 1 becomes day
 * 15 on 1 June, the bridge 1 to 14 June is a part of 15 May to 14 June; when on 15 June, of June (C-20, C-45).
 * @param anchors in the order of `from`; the first is in force from the beginning of the life
 */
export function serviceParts(
  life: { readonly start: string; readonly end: string | null },
  anchors: readonly AnchorInForce[],
  interval: BillingInterval,
  until: string,
): ServicePart[] {
  const parts: ServicePart[] = []
  let start = life.start
  while (compareDates(start, until) < 0) {
    const index = anchors.findLastIndex(({ from }, at) => at === 0 || compareDates(from, start) <= 0)
    const current = anchors[index]
    assert(current, 'a life has an anchor')
    const cycle = cycleHolding(current.anchor, interval, start)
    const reign = { start, end: anchors[index + 1]?.from ?? cycle.end }
    const uncut = intersect(reign, cycle)
    const period = uncut && intersect(life, uncut)
    if (!period) return parts
    parts.push({ period, cycle })
    start = period.end
  }
  return parts
}
