import { compareDates } from './calendar.ts'
import { fieldError, type BusinessError } from './errors.ts'

/** A discount as it is offered to whoever knows its code. */
export interface OfferedDiscount {
  readonly code: string | null
  readonly percent: string | null
  /** Of an amount. */
  readonly currency: string | null
  /** Null: for every product. */
  readonly productId: string | null
  /** Half-open; null is open. */
  readonly startsOn: string | null
  readonly endsOn: string | null
  readonly isArchived: boolean
}

export interface DiscountedOrder {
  readonly currency: string
  readonly on: string
  /** Products of each subscription that it becomes. */
  readonly productIds: readonly (readonly string[])[]
}

/**
 * Which subscriptions of an order a discount is for, by their place: a percentage for each that has what it is for,
 * an amount for the first of them alone, as 5.00 off an order of three are 5.00.
 * @throws `discount_code_unknown` outside its dates, archived, or for other products; `currency_mismatch` for an amount in
 *   another currency
 */
export function chooseDiscounted(discount: OfferedDiscount, order: DiscountedOrder): number[] {
  const isInForce =
    !discount.isArchived &&
    (discount.startsOn === null || compareDates(discount.startsOn, order.on) <= 0) &&
    (discount.endsOn === null || compareDates(order.on, discount.endsOn) < 0)
  if (!isInForce) throw unknownCode(`${discount.code} is not valid on ${order.on}.`)
  if (discount.currency !== null && discount.currency !== order.currency) {
    const detail = `${discount.code} is in ${discount.currency}, the order in ${order.currency}.`
    throw fieldError('/discount_code', 'currency_mismatch', detail)
  }
  const { productId } = discount
  const fitting = order.productIds.flatMap((ids, index) =>
    productId === null || ids.includes(productId) ? [index] : [],
  )
  if (fitting.length === 0) throw unknownCode(`${discount.code} is for another product.`)
  return discount.percent === null ? fitting.slice(0, 1) : fitting
}

export function unknownCode(detail: string): BusinessError {
  return fieldError('/discount_code', 'discount_code_unknown', detail)
}
