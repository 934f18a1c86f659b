import type Big from 'big.js'
import { unreachable } from './assert.ts'
import type { IntervalUnit, Recurrence } from './calendar.ts'
import { BusinessError } from './errors.ts'
import type { Terms } from './terms.ts'

export type ChangeDirection = 'upgrade' | 'downgrade'

const perYear: Readonly<Record<IntervalUnit, number>> = {
  day: 365,
  week: 52,
  month: 12,
  month_last_day: 12,
  quarter: 4,
  half_year: 2,
  year: 1,
}

/** What a recurring amount comes to in a year of 365 days or 52 weeks, to compare prices of different recurrences. */
export function yearlyAmount(amount: Big, recurrence: Recurrence): Big {
  return amount.times(perYear[recurrence.unit]).div(recurrence.count)
}

/** A higher or equal amount a year is an upgrade (C-26): 20 a month to 300 a year is one, to 200 a year is not. */
export function classifyChange(oldYearly: Big, newYearly: Big): ChangeDirection {
  return newYearly.gte(oldYearly) ? 'upgrade' : 'downgrade'
}

/**
 * The first day of the new terms, as the product says for that direction (C-26): today, or the end of the period that is
 * paid for.
 * @throws `change_not_allowed` with the rule
 */
export function changeTakesEffectOn(
  direction: ChangeDirection,
  terms: Pick<Terms, ChangeDirection>,
  dates: { readonly today: string; readonly periodEnd: string },
): string {
  const moment = terms[direction]
  switch (moment) {
    case 'now':
      return dates.today
    case 'period_end':
      return dates.periodEnd
    case 'not_allowed':
      throw new BusinessError('change_not_allowed', `The product rules out a change that is a ${direction}.`)
    default:
      return unreachable(moment)
  }
}
