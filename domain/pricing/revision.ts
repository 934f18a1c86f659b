import Big from 'big.js'
import { BusinessError } from '../errors.ts'
import { divide } from '../money.ts'
import { scalePrice } from './map-amounts.ts'
import type { Price } from './price.ts'

/** A change of frozen prices: all amounts by a percentage, or another price in its place. */
export type PriceRevision = { readonly percent: string } | { readonly price: Price }

/**
 * The price after a revision, unrounded: 10.00 + 5 % is 10.50. Bounds of tiers and included quantities stay.
 * @throws `price_negative` for less than -100 %
 */
export function revisePrice(price: Price, revision: PriceRevision): Price {
  if ('price' in revision) return revision.price
  const factor = new Big(100).plus(revision.percent).times('0.01')
  if (factor.lt(0)) {
    const detail = `A price cannot fall by more than 100 percent, and this is ${revision.percent}.`
    throw new BusinessError('price_negative', detail)
  }
  return scalePrice(price, factor)
}

/** By how many percent an amount changed: 100 to 200 is 100. From 0 there is no percentage: 0. */
export function variationPercent(previous: Big, next: Big): Big {
  return previous.eq(0) ? new Big(0) : divide(next.minus(previous).times(100), previous)
}
