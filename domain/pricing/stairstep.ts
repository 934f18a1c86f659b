import type Big from 'big.js'
import type { StairstepPrice } from './price.ts'
import type { RatingStep } from './rated-price.ts'
import { reachedTier } from './reached-tier.ts'

/** One amount for the step reached: 20.00 up to 10, 60.00 up to 50: 10 units are 20.00, 11 are 60.00. */
export function rateStairstep(price: StairstepPrice, quantity: Big): RatingStep {
  const { tier, from } = reachedTier(price.tiers, quantity)
  return {
    kind: 'tier',
    from,
    upTo: tier.upTo,
    quantity: quantity.toFixed(),
    flatAmount: tier.flatAmount,
    amount: tier.flatAmount,
  }
}
