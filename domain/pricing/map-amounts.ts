import Big from 'big.js'
import { unreachable } from '../assert.ts'
import type { GridStep, PercentagePrice, Price } from './price.ts'

/** How the amounts of a price change: those of a unit by a function, and what stands beside them by a factor. */
interface AmountChange {
  readonly unit: (amount: Big) => Big
  readonly factor: Big
}

/**
 * A price with all its amounts times a factor: whatever the quantity, it comes to so much more or less. Quantities, bounds
 * of tiers and free parts stay.
 */
export function scalePrice(price: Price, factor: Big): Price {
  return mapAmounts(price, { unit: (amount) => amount.times(factor), factor })
}

export function mapAmounts(price: Price, change: AmountChange): Price {
  const scaled = (amount: string) => new Big(amount).times(change.factor).toFixed()
  return {
    ...mapModel(price, change, scaled),
    ...(price.leastAmount === undefined ? {} : { leastAmount: scaled(price.leastAmount) }),
    ...(price.greatestAmount === undefined ? {} : { greatestAmount: scaled(price.greatestAmount) }),
  }
}

function mapModel(price: Price, change: AmountChange, scaled: (amount: string) => string): Price {
  const unit = (amount: string) => change.unit(new Big(amount)).toFixed()
  const flat = (tier: { readonly flatAmount?: string }) =>
    tier.flatAmount === undefined ? {} : { flatAmount: scaled(tier.flatAmount) }
  switch (price.model) {
    case 'per_unit':
    case 'commitment':
      return { ...price, unitAmount: unit(price.unitAmount) }
    case 'flat':
      return { ...price, amount: unit(price.amount) }
    case 'graduated':
    case 'volume': {
      const tiers = price.tiers.map((tier) => ({ ...tier, unitAmount: unit(tier.unitAmount), ...flat(tier) }))
      return { ...price, tiers }
    }
    case 'graduated_percentage': {
      const tiers = price.tiers.map((tier) => ({
        ...tier,
        ratePercent: scaled(tier.ratePercent),
        ...flat(tier),
      }))
      return { ...price, tiers }
    }
    case 'stairstep':
      return {
        ...price,
        tiers: price.tiers.map((tier) => ({ ...tier, flatAmount: unit(tier.flatAmount) })),
      }
    case 'package':
      return { ...price, packageAmount: unit(price.packageAmount) }
    case 'percentage':
      return { ...price, ...mapPercentage(price, scaled) }
    case 'grid': {
      const fixed = price.fixedAmount === undefined ? {} : { fixedAmount: scaled(price.fixedAmount) }
      const steps = price.steps.map((step): GridStep => ({ ...step, amount: unit(step.amount) }))
      return { ...price, steps, ...fixed }
    }
    case 'formula':
      return { ...price, formula: `(${price.formula}) * ${change.factor.toFixed()}` }
    default:
      return unreachable(price)
  }
}

function mapPercentage(
  price: PercentagePrice,
  scaled: (amount: string) => string,
): Omit<PercentagePrice, 'model'> {
  const { ratePercent, amountPerEvent, leastPerEvent, greatestPerEvent } = price
  return {
    ratePercent: scaled(ratePercent),
    ...(amountPerEvent === undefined ? {} : { amountPerEvent: scaled(amountPerEvent) }),
    ...(leastPerEvent === undefined ? {} : { leastPerEvent: scaled(leastPerEvent) }),
    ...(greatestPerEvent === undefined ? {} : { greatestPerEvent: scaled(greatestPerEvent) }),
  }
}
