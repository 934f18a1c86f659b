import { calendarPeriod, monthsIn } from './billing-cycle.ts'
import { addDays, compareDates, type IntervalUnit, type Period } from './calendar.ts'
import { fieldError } from './errors.ts'

/** When a line begins, where the product says so and the order names no date. */
export type StartMethod =
  'now' | 'this_period_start' | 'this_period_end' | 'next_period_start' | 'next_period_end'

/**
 * The day a line begins (C-44), by the calendar's periods of the product's unit. An end is the last day itself. With a
 * month, it is that month of the period: January of a yearly product ordered on 15 August is 1 January. This period's day
 * may be past; the next one is the first that is still to come.
 * @param forcedMonth 1 is the first month of the period; null takes the period's own start or end
 * @throws `field_invalid` if the month is not a whole number from 1 to 12
 */
export function startOn(
  method: StartMethod,
  today: string,
  unit: IntervalUnit,
  forcedMonth: number | null = null,
): string {
  if (forcedMonth !== null && !(Number.isInteger(forcedMonth) && forcedMonth >= 1 && forcedMonth <= 12)) {
    throw fieldError('/forced_month', 'field_invalid', 'A month is a whole number from 1 to 12.')
  }
  if (method === 'now') return today
  const current = calendarPeriod(today, unit)
  const dayOf = (period: Period) => pickDay(period, method, unit, forcedMonth)
  const isOfThisPeriod = method === 'this_period_start' || method === 'this_period_end'
  if (isOfThisPeriod || compareDates(dayOf(current), today) > 0) return dayOf(current)
  return dayOf(calendarPeriod(current.end, unit))
}

function pickDay(
  period: Period,
  method: StartMethod,
  unit: IntervalUnit,
  forcedMonth: number | null,
): string {
  const span = forcedMonth === null ? period : monthOf(period, unit, forcedMonth)
  return method.endsWith('_end') ? addDays(span.end, -1) : span.start
}

/** A month of the year names the same month of a shorter period: November is the second month of a quarter. */
function monthOf(period: Period, unit: IntervalUnit, month: number): Period {
  if (unit === 'day' || unit === 'week') return period
  const start = Temporal.PlainDate.from(period.start).add({ months: (month - 1) % monthsIn(unit) })
  return calendarPeriod(start.toString(), 'month')
}
