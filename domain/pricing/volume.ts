import type Big from 'big.js'
import { countPackages } from './package.ts'
import type { VolumePrice } from './price.ts'
import type { RatingStep } from './rated-price.ts'
import { reachedTier } from './reached-tier.ts'

/**
 * All units at the price of the tier reached, and its flat amount. Bounds belong to the tier below them: up to 10 at 5.00,
 * above at 4.00, 10 units are 50.00 and 10.5 are 42.00.
 * @param tierQuantity chooses the tier; another quantity than the billed one only where a part of it is billed
 */
export function rateVolume(price: VolumePrice, quantity: Big, tierQuantity: Big): RatingStep[] {
  const counted = countPackages(price.packageSize, quantity)
  const { tier, from } = reachedTier(price.tiers, countPackages(price.packageSize, tierQuantity).quantity)
  const flatAmount = tier.flatAmount ?? '0'
  return [
    ...counted.steps,
    {
      kind: 'tier',
      from,
      upTo: tier.upTo,
      quantity: counted.quantity.toFixed(),
      unitAmount: tier.unitAmount,
      flatAmount,
      amount: counted.quantity.times(tier.unitAmount).plus(flatAmount).toFixed(),
    },
  ]
}
