import { compareDates, type IntervalUnit } from './calendar.ts'
import { fieldError } from './errors.ts'
import { startOn, type StartMethod } from './start.ts'

/** When service is to begin, if not as soon as the application is there (C-44). */
export type AskedStart =
  | { readonly kind: 'date'; readonly on: string }
  /** By the calendar's periods of what is ordered; with a month, that month of the period. */
  | { readonly kind: 'period'; readonly method: StartMethod; readonly month: number | null }

/** How far a start may be from the order. Beyond it a year was mistyped. */
const farthestYears = 5

/**
 * The first day of service that an order asks for. Ordered on 15 August: the next period's start is 1 September for what
 * is monthly, the month January of this period 1 January for what is yearly.
 * @param unit the recurrence of what is ordered; `month` where nothing recurs
 * @throws `field_invalid` for a month that is none, `date_range_invalid` for a day more than five years away
 */
export function planStart(asked: AskedStart, today: string, unit: IntervalUnit): string {
  const on = asked.kind === 'date' ? asked.on : startOn(asked.method, today, unit, asked.month)
  const day = Temporal.PlainDate.from(today)
  const isFar =
    compareDates(on, day.subtract({ years: farthestYears }).toString()) < 0 ||
    compareDates(on, day.add({ years: farthestYears }).toString()) > 0
  if (isFar) {
    const detail = `${on} is more than ${farthestYears} years from ${today}.`
    throw fieldError('/starts/on', 'date_range_invalid', detail)
  }
  return on
}
