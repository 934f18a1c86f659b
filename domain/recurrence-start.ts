import { calendarAnchor } from './billing-cycle.ts'
import {
  addDays,
  compareDates,
  cycleBoundary,
  laterDate,
  type BillingInterval,
  type IntervalUnit,
} from './calendar.ts'
import type { Terms } from './terms.ts'

/** From when on what recurs is charged, unless the order names a day (B-09). */
export type RecurrenceStart = 'confirmation' | 'first_invoice' | 'activation'

export interface StartFacts {
  readonly rule: RecurrenceStart
  readonly orderedOn: string
  /** The day that the order named; null if it named none. */
  readonly plannedOn: string | null
  readonly activatedOn: string
  /** Days that the first invoice is a draft: it is finalized after them by itself. */
  readonly draftDays: number
  /** Without one there is no first invoice to wait for. */
  readonly hasOneTimeFee: boolean
}

/**
 * The first day that is charged. Ordered on 1 March and ready on 3 March it is 3 March by activation, 1 March by
 * confirmation. A day that was over when it was ordered was meant (C-44); of one that was to come nothing is charged
 * before the application is there, unless confirmation decides.
 */
export function decideStart(facts: StartFacts): string {
  const { rule, orderedOn, plannedOn, activatedOn } = facts
  if (plannedOn !== null) {
    const isKept = compareDates(plannedOn, orderedOn) < 0 || rule === 'confirmation'
    return isKept ? plannedOn : laterDate(plannedOn, activatedOn)
  }
  switch (rule) {
    case 'confirmation':
      return orderedOn
    case 'first_invoice':
      return facts.hasOneTimeFee ? addDays(activatedOn, facts.draftDays) : activatedOn
    case 'activation':
      return activatedOn
  }
}

/** Which document a line lies on, and how that begins if the line opens it. */
export interface OpeningDocument {
  /** Null: the customer's common document of its interval and currency. */
  readonly ownAnchorOn: string | null
  readonly billingCycleAnchor: string
  readonly nextPeriodIndex: number
  readonly nextInvoiceOn: string
}

/**
 * Lines whose periods are the calendar's own lie on documents of their own, whose key is this day for all of them: a week, a
 * month, a quarter, a half-year and a year begin on it.
 */
export const calendarMark = '2001-01-01'

/**
 * The document that a line which begins on a day would open. Monthly from 15 August: periods from the 15th, the first one is
 * due at once; by the calendar, periods from 1 August, and the next one is due on 1 September, as the part before it is
 * billed with the opening.
 */
export function openingDocument(
  line: { interval: BillingInterval; alignment: Terms['alignment'] },
  startsOn: string,
  hasOwnAnchor: boolean,
): OpeningDocument {
  const isCalendar = line.alignment === 'calendar'
  const anchor = isCalendar ? calendarAnchor(startsOn, calendarUnit(line.interval)) : startsOn
  const index = anchor === startsOn ? 0 : 1
  return {
    ownAnchorOn: hasOwnAnchor ? startsOn : isCalendar ? calendarMark : null,
    billingCycleAnchor: anchor,
    nextPeriodIndex: index,
    nextInvoiceOn: cycleBoundary(anchor, line.interval, index),
  }
}

/** The calendar's longest period of which the interval is a multiple: 3 months are a quarter, 2 are months. */
function calendarUnit({ count, unit }: BillingInterval): IntervalUnit {
  if (unit === 'day') return count % 7 === 0 ? 'week' : 'day'
  if (unit === 'month_last_day') return unit
  if (count % 12 === 0) return 'year'
  if (count % 6 === 0) return 'half_year'
  return count % 3 === 0 ? 'quarter' : 'month'
}
