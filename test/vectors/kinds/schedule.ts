import { boundaryAfter, boundaryFrom, calendarAnchor, stepBoundary } from '#domain/billing-cycle.ts'
import {
  compareDates,
  cycleBoundary,
  cycleHolding,
  cycleIndexOn,
  dateIn,
  intersect,
  type BillingInterval,
  type Period,
} from '#domain/calendar.ts'

import { prorate } from '#domain/proration.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { anchorOf, begunBy, billedBy, billingDayOf, intervalIn, isInArrears } from '../billing-day.ts'
import {
  dayBefore,
  decimal,
  halfOpen,
  has,
  integer,
  intervalOf,
  periodOf,
  recurrenceOf,
  text,
  textOr,
  withYear,
  writtenLike,
  type Inputs,
} from '../calendar-inputs.ts'

function boundariesAfter(anchor: string, interval: BillingInterval, start: string, count: number): string[] {
  const dates: string[] = []
  for (let n = 0; n < count; n += 1) dates.push(boundaryAfter(anchor, interval, dates.at(-1) ?? start))
  return dates
}

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

function weekdayOf(date: string): string {
  return weekdays[Temporal.PlainDate.from(date).dayOfWeek - 1] ?? ''
}

/** A year in which a date without one falls on the weekday that is told beside it. */
function startWithYear(inputs: Inputs, written: string): string {
  const weekday = inputs['anchor_weekday']
  if (written.length > 5 || typeof weekday !== 'string')
    return withYear(written, inputs['leap_year'] === true)
  const years = [2021, 2022, 2023, 2024, 2025, 2026, 2027]
  return years.map((year) => `${year}-${written}`).find((date) => weekdayOf(date) === weekday) ?? written
}

function anchorSchedule({ inputs }: Vector) {
  const written = text(inputs, has(inputs, 'anchor') ? 'anchor' : 'start')
  const start = startWithYear(inputs, written)
  const interval = intervalIn(inputs)
  const anchor = anchorOf(inputs, start, interval)
  const months = inputs['months']
  const count = has(inputs, 'count') ? integer(inputs, 'count') : 12
  const all = boundariesAfter(anchor, interval, start, count)
  const asked = Array.isArray(months)
    ? months.map((month) => all.find((date) => Number(date.slice(5, 7)) === Number(month)) ?? null)
    : all
  const dates = asked.map((date) => date && writtenLike(date, written))
  const [first] = begunBy(start, start, anchor, interval)
  return {
    dates,
    next: dates[0],
    last: dates.at(-1),
    day_of_month: billingDayOf(inputs) ?? Temporal.PlainDate.from(anchor).day,
    weekday: weekdayOf(all.at(-1) ?? start),
    ...(has(inputs, 'amount') &&
      first && {
        amount: prorate(decimal(inputs['amount']), first.period, first.cycle, 'day').amount,
      }),
  }
}

function firstAnchor({ inputs }: Vector) {
  const start = text(inputs, 'start')
  const interval = intervalIn(inputs)
  return { first_billing_date: boundaryFrom(anchorOf(inputs, start, interval), interval, start) }
}

function localDate(inputs: Inputs, name: string): string {
  const value = text(inputs, name)
  return value.includes('T') ? dateIn(textOr(inputs, 'timezone', 'UTC'), value) : withYear(value)
}

function nextDate({ inputs }: Vector) {
  if (has(inputs, 'start')) {
    const start = text(inputs, 'start')
    const interval = intervalIn(inputs)
    const anchor = anchorOf(inputs, start, interval)
    const target = has(inputs, 'target') ? text(inputs, 'target') : start
    if (isInArrears(inputs)) throw new Error('a next date is told in advance only')
    const after = boundaryAfter(anchor, interval, target)
    return { next: after, charged_through: after }
  }
  const next = steppedFrom(localDate(inputs, 'current'), inputs)
  return { next: writtenLike(next, text(inputs, 'current')) }
}

/** So many intervals on, on the anchor's day: its day of the month, of the week, or of the year. */
function steppedFrom(current: string, inputs: Inputs): string {
  const { unit, count } = recurrenceOf(inputs['interval'], inputs['count'] ?? 1)
  const interval = intervalOf(inputs['interval'], count)
  if (inputs['anchor'] === 'calendar') return cycleBoundary(calendarAnchor(current, unit), interval, 1)
  const anchor = localDate(inputs, 'anchor')
  if (unit === 'week') {
    const week = intervalOf('week')
    return cycleBoundary(boundaryAfter(anchor, week, current), week, count - 1)
  }
  if (unit === 'year') {
    const years = Number(current.slice(0, 4)) - Number(anchor.slice(0, 4))
    return cycleBoundary(anchor, intervalOf('year'), years + count)
  }
  return stepBoundary(current, interval, Temporal.PlainDate.from(anchor).day)
}

function countPeriods({ inputs }: Vector) {
  const start = text(inputs, 'start')
  const interval = intervalIn(inputs)
  const anchor = anchorOf(inputs, start, interval)
  if (has(inputs, 'end')) {
    const end = text(inputs, 'end')
    return { whole_periods: compareDates(end, start) < 0 ? 0 : cycleIndexOn(start, interval, end) }
  }
  const target = text(inputs, 'target')
  const begun = billedBy(target, begunBy(target, start, anchor, interval), inputs)
  const whole = begun.filter(({ period, cycle }) => period.start === cycle.start)
  return { periods: begun.length, whole_periods: whole.length, elapsed: Math.max(0, begun.length - 1) }
}

/** Where a cycle turns at a time of day, the day begins at that time. */
function dayOfCycle(instant: string, anchor: string): string {
  if (!instant.includes('T')) return withYear(instant)
  const turn = anchor.includes('T') ? Temporal.Instant.from(anchor).toZonedDateTimeISO('UTC') : undefined
  const sinceTurn = Temporal.Instant.from(instant).subtract({
    nanoseconds: turn ? turn.since(turn.startOfDay()).total('nanoseconds') : 0,
  })
  return dateIn('UTC', sinceTurn.toString())
}

function periodContaining({ inputs }: Vector) {
  const interval = intervalOf(inputs['interval'] ?? inputs['period'], inputs['count'] ?? 1)
  if (has(inputs, 'anchor')) {
    const anchor = text(inputs, 'anchor')
    const at = dayOfCycle(text(inputs, 'at'), anchor)
    const period = halfOpen(cycleHolding(dayOfCycle(anchor, anchor), interval, at))
    return { period: period.map((date) => writtenLike(date, anchor)) }
  }
  const start = text(inputs, 'start')
  const at = text(inputs, 'at')
  const cycle = cycleHolding(anchorOf(inputs, start, interval), interval, at)
  return { period: cutAt(start, cycle) }
}

/** A cycle as far as it lies after the start of the life. */
function cutAt(start: string, cycle: Period): [string, string] | null {
  const period = intersect({ start, end: null }, cycle)
  return period ? halfOpen(period) : null
}

function periodAdvance({ inputs }: Vector) {
  const start = text(inputs, 'invoice_date')
  const interval = intervalIn(inputs)
  const [first] = begunBy(start, start, anchorOf(inputs, start, interval), interval)
  return { period: first ? halfOpen(first.period) : null }
}

function periodArrear({ inputs }: Vector) {
  const start = text(inputs, 'billing_start')
  const interval = intervalIn(inputs)
  const lastDay = dayBefore(text(inputs, 'invoice_date'))
  return { period: cutAt(start, cycleHolding(anchorOf(inputs, start, interval), interval, lastDay)) }
}

function targetDate({ inputs }: Vector) {
  const period = inputs['period']
  const start = Array.isArray(period) ? periodOf(inputs, 'period').start : text(inputs, 'start')
  const interval = Array.isArray(period) ? intervalOf('MONTHLY') : intervalIn(inputs)
  const target = text(inputs, 'target')
  const ofTarget = begunBy(target, start, anchorOf(inputs, start, interval), interval)
  const begun = billedBy(target, ofTarget, inputs)
  return { periods_billed: begun.length, charged_through: begun.at(-1)?.period.end ?? null }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'schedule.anchor': anchorSchedule,
  'schedule.count_periods': countPeriods,
  'schedule.first_anchor': firstAnchor,
  'schedule.next_date': nextDate,
  'schedule.period_advance': periodAdvance,
  'schedule.period_arrear': periodArrear,
  'schedule.period_containing': periodContaining,
  'schedule.target_date': targetDate,
}
