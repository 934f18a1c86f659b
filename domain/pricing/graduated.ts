import Big from 'big.js'
import { lesser, percentOf } from './decimal.ts'
import { countPackages } from './package.ts'
import type { GraduatedPercentagePrice, GraduatedPrice } from './price.ts'
import type { RatingStep } from './rated-price.ts'

/**
 * Each unit at the price of its own tier, and the flat amount of every tier entered. The first tier counts as entered at
 * quantity 0. Up to 10 at 5.00, above at 4.00: 10.5 units are 50.00 + 2.00.
 */
export function rateGraduated(price: GraduatedPrice, quantity: Big): RatingStep[] {
  const counted = countPackages(price.packageSize, quantity)
  const tiers = enteredTiers(price.tiers, counted.quantity).map(({ tier, from, inside }): RatingStep => {
    const flatAmount = tier.flatAmount ?? '0'
    return {
      kind: 'tier',
      from: from.toFixed(),
      upTo: tier.upTo,
      quantity: inside.toFixed(),
      unitAmount: tier.unitAmount,
      flatAmount,
      amount: inside.times(tier.unitAmount).plus(flatAmount).toFixed(),
    }
  })
  return [...counted.steps, ...tiers]
}

/** The same over a value: 1 percent up to 10 and 200 flat, above 2 percent and 300 flat: 11 gives 500.12. */
export function rateGraduatedPercentage(price: GraduatedPercentagePrice, value: Big): RatingStep[] {
  return enteredTiers(price.tiers, value).map(({ tier, from, inside }) => {
    const flatAmount = tier.flatAmount ?? '0'
    return {
      kind: 'tier',
      from: from.toFixed(),
      upTo: tier.upTo,
      quantity: inside.toFixed(),
      ratePercent: tier.ratePercent,
      flatAmount,
      amount: percentOf(inside, new Big(tier.ratePercent)).plus(flatAmount).toFixed(),
    }
  })
}

function enteredTiers<Tier extends { readonly upTo: string | null }>(
  tiers: readonly Tier[],
  quantity: Big,
): { tier: Tier; from: Big; inside: Big }[] {
  const bounds = [new Big(0), ...tiers.map((tier) => new Big(tier.upTo ?? 0))]
  return tiers.flatMap((tier, index) => {
    const from = bounds[index] ?? new Big(0)
    if (index > 0 && quantity.lte(from)) return []
    // The last tier goes on without end, also where somebody closed it: a unit never has no price.
    const isLast = index === tiers.length - 1
    const upper = tier.upTo === null || isLast ? quantity : lesser(quantity, new Big(tier.upTo))
    return [{ tier, from, inside: upper.minus(from) }]
  })
}
