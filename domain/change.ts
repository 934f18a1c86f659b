import {
  compareDates,
  cycleBoundary,
  cycleIndexOn,
  laterDate,
  addDays,
  type BillingInterval,
} from './calendar.ts'
import { BusinessError, fieldError } from './errors.ts'
import { checkQuantity, checkWhole } from './order.ts'
import type { BillingType } from './product.ts'

export interface ChangeableLine {
  readonly productCode: string
  readonly billingType: BillingType
  readonly interval: BillingInterval | null
  readonly quantity: string
  readonly unit: string
}

export interface DecidedChange {
  readonly direction: 'upgrade' | 'downgrade'
  /** First day of the new quantity: the day of the change belongs to the new terms. */
  readonly effectiveOn: string
}

/**
 * What a new quantity means: more takes effect today, less at the end of the period that is paid for. 5 to 10 users on
 * 10 April hold from 10 April; 10 to 5 users on 10 April hold from 1 May.
 * @throws `quantity_invalid`, `quantity_not_whole`, `quantity_unchanged`, `action_not_allowed`
 */
export function decideChange(
  line: ChangeableLine,
  quantity: string,
  dates: { today: string; periodEnd: string },
): DecidedChange {
  if (line.billingType === 'usage' || line.interval === null) {
    throw new BusinessError(
      'action_not_allowed',
      `${line.productCode} has no quantity to change: it is metered, or a one-time fee.`,
    )
  }
  const wanted = checkQuantity(quantity, '')
  checkWhole({ code: line.productCode, unit: line.unit }, wanted, '/quantity')
  if (wanted.eq(line.quantity))
    throw fieldError('/quantity', 'quantity_unchanged', `The quantity is ${line.quantity} already.`)
  const direction = wanted.gt(line.quantity) ? 'upgrade' : 'downgrade'
  return { direction, effectiveOn: direction === 'upgrade' ? dates.today : dates.periodEnd }
}

export interface CyclingDocument {
  readonly billingCycleAnchor: string
  readonly interval: BillingInterval
}

/** First day after the cycle that holds the date, of the document whose cycle ends last. */
export function periodEndAfter(documents: readonly CyclingDocument[], today: string): string {
  return documents.reduce((end, document) => {
    const index = cycleIndexOn(document.billingCycleAnchor, document.interval, today)
    return laterDate(end, cycleBoundary(document.billingCycleAnchor, document.interval, index + 1))
  }, today)
}

/**
 * The first day a line is not billed any more. At the period's end all lines end together. Now means today: the day of
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
