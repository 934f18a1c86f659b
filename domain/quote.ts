import { compareDates } from './calendar.ts'
import { BusinessError, fieldError } from './errors.ts'
import { formatMoney } from './money.ts'

/** Where an order stands. A draft is a quote: what it says can be had until it expires. */
export type OrderState = 'draft' | 'confirmed' | 'cancelled' | 'expired'
export const orderStates: readonly OrderState[] = ['draft', 'confirmed', 'cancelled', 'expired']

export interface OrderMarks {
  readonly confirmedAt: string | null
  readonly cancelledAt: string | null
  /** When what a sold order waited for had not come in time. */
  readonly expiredAt: string | null
  /** The first day on which it cannot be had any more; null where it was confirmed at once. */
  readonly expiresOn: string | null
}

/** Nothing has to happen for a quote to expire. One that expires on 1 May is a draft on 30 April and expired from 1 May on. */
export function orderStateOn(marks: OrderMarks, today: string): OrderState {
  const { confirmedAt, cancelledAt, expiredAt, expiresOn } = marks
  if (cancelledAt !== null) return 'cancelled'
  if (expiredAt !== null) return 'expired'
  if (confirmedAt !== null) return 'confirmed'
  return expiresOn !== null && compareDates(expiresOn, today) <= 0 ? 'expired' : 'draft'
}

/** Only a draft is changed, confirmed or cancelled. @throws `order_not_draft`, `quote_expired` */
export function checkDraft(order: OrderMarks, today: string): void {
  const state = orderStateOn(order, today)
  if (state === 'draft') return
  if (state === 'expired' && order.confirmedAt === null)
    throw new BusinessError('quote_expired', `The quote could be had until ${order.expiresOn}, exclusive.`)
  throw new BusinessError('order_not_draft', `The order is ${state}; only a draft can be changed.`)
}

/** @throws `date_range_invalid` for a quote that would have expired already */
export function checkExpiry(expiresOn: string, today: string): void {
  if (compareDates(expiresOn, today) > 0) return
  throw fieldError(
    '/expires_on',
    'date_range_invalid',
    `A quote expires after ${today}, not on ${expiresOn}.`,
  )
}

export interface QuotedTotals {
  readonly totalNowMinor: number
  readonly totalPerPeriodMinor: number
}

/** Nothing is sold at another price than was quoted. @throws `price_changed` with both amounts */
export function checkQuoted(quoted: QuotedTotals, present: QuotedTotals, currency: string): void {
  for (const name of ['totalNowMinor', 'totalPerPeriodMinor'] as const) {
    if (quoted[name] === present[name]) continue
    const [before, now] = [formatMoney(quoted[name], currency), formatMoney(present[name], currency)]
    throw new BusinessError('price_changed', `Quoted were ${before}, and it is ${now} now. Change the draft to quote it anew.`) // prettier-ignore
  }
}

/**
 * Nothing is sold at another price than was seen in a preview. Whoever asks again with what the new preview says gets it.
 * @throws `price_changed` with both amounts
 */
export function checkAgreed(agreed: QuotedTotals, present: QuotedTotals, currency: string): void {
  const fields = { totalNowMinor: 'total_now_minor', totalPerPeriodMinor: 'total_per_period_minor' } as const
  for (const name of ['totalNowMinor', 'totalPerPeriodMinor'] as const) {
    if (agreed[name] === present[name]) continue
    const [seen, now] = [formatMoney(agreed[name], currency), formatMoney(present[name], currency)]
    throw fieldError(`/agreed/${fields[name]}`, 'price_changed', `It is ${now} now, not ${seen}.`)
  }
}
