import Big from 'big.js'
import { divide } from '../money.ts'

/** A percentage of an amount, exact: 2.9 percent of 4 is 0.116. */
export function percentOf(amount: Big, percent: Big): Big {
  return amount.times(percent).times('0.01')
}

/** What remains after a percentage was taken off, as a factor: 15 percent gives 0.85. */
export function factorAfter(discountPercent: string): Big {
  return new Big(100).minus(discountPercent).times('0.01')
}

export function sumOf(amounts: readonly Big[]): Big {
  return amounts.reduce((total, amount) => total.plus(amount), new Big(0))
}

export function lesser(first: Big, second: Big): Big {
  return second.lt(first) ? second : first
}

export function greater(first: Big, second: Big): Big {
  return second.gt(first) ? second : first
}

/** How many whole parts of a size are in a quantity, and whether something is left: 7 by 5 is 1, with a rest. */
export function wholeParts(quantity: Big, size: Big): { count: Big; hasRest: boolean } {
  const rest = quantity.mod(size)
  return { count: divide(quantity.minus(rest), size), hasRest: !rest.eq(0) }
}
