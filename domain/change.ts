import Big from 'big.js'
import { anchorOn, type FormerAnchor } from './billing-cycle.ts'
import {
  compareDates,
  cycleBoundary,
  cycleIndexOn,
  laterDate,
  addDays,
  type BillingInterval,
  type Recurrence,
} from './calendar.ts'
import { changeTakesEffectOn, classifyChange, yearlyAmount, type ChangeDirection } from './change-policy.ts'
import { BusinessError, fieldError } from './errors.ts'
import { divide } from './money.ts'
import { checkQuantity, checkWhole } from './order.ts'
import { mapAmounts } from './pricing/map-amounts.ts'
import type { Price } from './pricing/price.ts'
import { ratePrice } from './pricing/rate.ts'
import type { BillingType } from './product.ts'
import type { Terms } from './terms.ts'

/** What a line sells: the part of it that a change can make another. */
export interface Plan {
  readonly productCode: string
  /** Of the product: by which one it is sold. */
  readonly version: number
  readonly billingType: BillingType
  /** Null for a one-time fee. */
  readonly interval: BillingInterval | null
  readonly quantity: string
  readonly unit: string
  readonly price: Price
}

/** What is asked of a line; what is left out stays as it is. */
export interface AskedPlan {
  readonly quantity?: string
  /** Another product, or the same as it is sold on the day: in the version and at the price of that day. */
  readonly productId?: string
  /** Agreed by a person, whatever the lists say. */
  readonly price?: Price
  readonly recurrence?: Recurrence
  /** The first day of the new terms; left out, the first that the product's terms allow. */
  readonly startsOn?: string
  /** What becomes of a change to less than is used: left out, it is refused; `plan`: it waits until it fits (D-36). */
  readonly belowUse?: 'plan'
}

export interface DecidedChange {
  readonly direction: ChangeDirection
  /** First day of the new terms: the day of the change belongs to them. */
  readonly effectiveOn: string
}

/**
 * What a change means and when it takes effect, as the terms of the line say (C-26). Where only the quantity differs, more
 * is an upgrade; else a higher or equal price a year is. By the default terms 5 to 10 users on 10 April hold from 10 April,
 * 10 to 5 from 1 May. A later day may be asked for, an earlier one not.
 * @throws `quantity_invalid`, `quantity_not_whole`, `quantity_unchanged`, `action_not_allowed`, `change_not_allowed`,
 *   `date_range_invalid`
 */
export function decideChange(
  line: Plan & { readonly terms: Pick<Terms, ChangeDirection> },
  wanted: Plan,
  dates: { readonly today: string; readonly periodEnd: string; readonly startsOn?: string | undefined },
): DecidedChange {
  checkPlan(line, wanted)
  const direction = directionOf(line, wanted)
  const firstDay = changeTakesEffectOn(direction, line.terms, dates)
  return { direction, effectiveOn: askedDay(firstDay, dates) }
}

function checkPlan(line: Plan, wanted: Plan): void {
  if (line.interval === null)
    throw new BusinessError('action_not_allowed', `${line.productCode} is a one-time fee: nothing to change.`)
  if (wanted.interval === null)
    throw new BusinessError('change_not_allowed', `${wanted.productCode} does not recur; order it instead.`)
  const isOther = wanted.productCode !== line.productCode
  const isMetered = wanted.billingType === 'usage'
  if (isMetered && !isOther && !isSame(line.quantity, wanted.quantity))
    throw new BusinessError('action_not_allowed', `${line.productCode} is metered: it has no quantity.`)
  if (!isMetered) checkWhole({ code: wanted.productCode, unit: wanted.unit }, checkQuantity(wanted.quantity, ''), '/quantity') // prettier-ignore
  const isMoved = wanted.version !== line.version
  if (isOther || isMoved || !isSame(line.quantity, wanted.quantity) || !isSamePrice(line, wanted)) return
  throw fieldError('/quantity', 'quantity_unchanged', `The quantity is ${line.quantity} already.`)
}

function isSame(first: string, second: string): boolean {
  return /^[\d.]+$/.test(second) && new Big(first).eq(second)
}

function isSamePrice(line: Plan, wanted: Plan): boolean {
  const terms = ({ price, interval }: Plan) => JSON.stringify([price, interval?.count, interval?.unit])
  return terms(line) === terms(wanted)
}

/** What is metered is compared by the price of one unit. */
function directionOf(line: Plan, wanted: Plan): ChangeDirection {
  const isQuantityOnly = line.productCode === wanted.productCode && isSamePrice(line, wanted)
  if (isQuantityOnly && !isSame(line.quantity, wanted.quantity))
    return new Big(wanted.quantity).gt(line.quantity) ? 'upgrade' : 'downgrade'
  return classifyChange(yearly(line), yearly(wanted))
}

function yearly({ price, quantity, billingType, interval }: Plan): Big {
  const amount = ratePrice(price, new Big(billingType === 'usage' ? 1 : quantity)).amount
  return interval === null ? amount : yearlyAmount(amount, interval)
}

function askedDay(firstDay: string, dates: { today: string; startsOn?: string | undefined }): string {
  const { startsOn } = dates
  if (startsOn === undefined) return firstDay
  if (compareDates(startsOn, dates.today) < 0)
    throw fieldError('/starts_on', 'date_range_invalid', `A change begins today, ${dates.today}, or later.`)
  if (compareDates(startsOn, firstDay) < 0)
    throw fieldError('/starts_on', 'change_not_allowed', `By its terms it can begin on ${firstDay} or later.`)
  return startsOn
}

/**
 * The price of another interval: 20.00 a month are 60.00 a quarter.
 * @throws `price_missing_in_currency` between days and months, where there is no such number
 */
export function priceForInterval(price: Price, from: BillingInterval, to: BillingInterval): Price {
  if (from.unit === to.unit && from.count === to.count) return price
  if ((from.unit === 'day') !== (to.unit === 'day')) {
    const detail = 'Between days and months no price follows from the other: state it.'
    throw fieldError('/price', 'price_missing_in_currency', detail)
  }
  const [longer, shorter] = [new Big(to.count), new Big(from.count)]
  const unit = (amount: Big) => divide(amount.times(longer), shorter)
  return mapAmounts(price, { unit, factor: unit(new Big(1)) })
}

export interface CyclingDocument {
  readonly billingCycleAnchor: string
  readonly formerAnchor?: FormerAnchor | null
  readonly interval: BillingInterval
}

/** First day after the cycle that holds the date, of the document whose cycle ends last. */
export function periodEndAfter(documents: readonly CyclingDocument[], today: string): string {
  return documents.reduce((end, document) => {
    const anchor = anchorOn(document, today)
    const index = cycleIndexOn(anchor, document.interval, today)
    return laterDate(end, cycleBoundary(anchor, document.interval, index + 1))
  }, today)
}

/**
 * The first day a line is not billed any more. On a later day all lines end together. Now means today: the day of
 * cancellation is not billed, but what is metered on it is.
 */
export function lineEndsOn(
  line: { billingType: BillingType; startsOn: string },
  cancel: { when: 'period_end' | 'now'; today: string; periodEnd: string },
): string {
  if (cancel.when === 'period_end') return cancel.periodEnd
  const end = line.billingType === 'usage' ? addDays(cancel.today, 1) : cancel.today
  return compareDates(end, line.startsOn) < 0 ? line.startsOn : end
}

/** Days of service, half-open; an open end is null. */
export interface ServedDays {
  readonly start: string
  readonly end: string | null
}

/**
 * The days that new terms serve from a day on: those that were agreed before, in one piece where one plan followed another,
 * with the holes that pauses leave. Served until 10 April and from 20 April on, a change of 5 April serves 5 to 10 April
 * and from 20 April on.
 * @param agreed in order of their start, not overlapping
 */
export function servedFrom(agreed: readonly ServedDays[], effectiveOn: string): ServedDays[] {
  const served: ServedDays[] = []
  for (const days of agreed) {
    const start = laterDate(days.start, effectiveOn)
    if (days.end !== null && compareDates(days.end, start) <= 0) continue
    const last = served.at(-1)
    if (last?.end === start) served[served.length - 1] = { start: last.start, end: days.end }
    else served.push({ start, end: days.end })
  }
  return served
}
