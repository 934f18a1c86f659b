import Big from 'big.js'
import { fieldError } from './errors.ts'

/** What an order takes of a product, and where the order says so. */
export interface Wanted {
  readonly productId: string
  readonly productCode: string
  readonly quantity: string
  /** Of the order line's quantity. */
  readonly pointer: string
}

/** How much of a product there is, and how much of it a customer has. Quantities are decimals. */
export interface Stock {
  /** Null: as much as is asked for. */
  readonly quantity: string | null
  readonly takenQuantity: string
  readonly limitPerCustomer: string | null
  readonly heldByCustomer: string
}

/**
 * Refuses to sell what is not there, or more than a customer may have.
 * @throws `out_of_stock`, `customer_limit_reached`
 */
export function checkStock(wanted: Wanted, stock: Stock): void {
  const { quantity, takenQuantity, limitPerCustomer, heldByCustomer } = stock
  if (quantity !== null) {
    const left = new Big(quantity).minus(takenQuantity)
    if (left.lt(wanted.quantity)) {
      const detail = `${left.toFixed()} of ${wanted.productCode} are left; ${wanted.quantity} are asked for.`
      throw fieldError(wanted.pointer, 'out_of_stock', detail)
    }
  }
  if (limitPerCustomer !== null && new Big(heldByCustomer).plus(wanted.quantity).gt(limitPerCustomer)) {
    const detail = `A customer can have ${limitPerCustomer} of ${wanted.productCode}; this one has ${heldByCustomer}.`
    throw fieldError(wanted.pointer, 'customer_limit_reached', detail)
  }
}

/** What is wanted of each product together, under the first pointer that wants it; by product id, so that rows are locked in one order. */
export function gatherWanted(wanted: readonly Wanted[]): Wanted[] {
  const byProduct = new Map<string, Wanted>()
  for (const one of wanted) {
    const before = byProduct.get(one.productId)
    const quantity = before ? new Big(before.quantity).plus(one.quantity).toFixed() : one.quantity
    byProduct.set(one.productId, { ...(before ?? one), quantity })
  }
  return [...byProduct.values()].toSorted((first, second) => (first.productId < second.productId ? -1 : 1))
}
