/**
 * How a quantity becomes an amount. A price is agreed once, stands on the line as it was agreed, and is never rounded:
 * every number is a decimal in text, amounts in major units. Which price applies is decided by price lists; what it comes
 * to by `ratePrice`.
 */
export type Price = PriceModel & PriceModifiers

export type PriceModel =
  /** The quantity times the unit amount; "X per Y units" with `perUnits`: 0.60 per 1,000 requests. */
  | { readonly model: 'per_unit'; readonly unitAmount: string; readonly perUnits?: string }
  /** The amount, whatever the quantity. */
  | { readonly model: 'flat'; readonly amount: string }
  /** Each unit at the price of its own tier, and the flat amount of every tier entered. */
  | { readonly model: 'graduated'; readonly tiers: readonly PriceTier[] }
  /** All units at the price of the tier reached, and its flat amount. */
  | { readonly model: 'volume'; readonly tiers: readonly PriceTier[] }
  /** The flat amount of the step reached. */
  | { readonly model: 'stairstep'; readonly tiers: readonly StairstepTier[] }
  /** Started packages, or whole ones, or exact shares of one, at one amount each. */
  | {
      readonly model: 'package'
      readonly packageSize: string
      readonly packageAmount: string
      readonly rounding?: 'up' | 'down' | 'exact'
      readonly minimumPackages?: number
    }
  /** A share of a value: percent of the quantity, which is money, and an amount per event. */
  | {
      readonly model: 'percentage'
      readonly ratePercent: string
      readonly amountPerEvent?: string
      readonly leastPerEvent?: string
      readonly greatestPerEvent?: string
    }
  /** Lower bounds, included: the highest not above the value counts. */
  | { readonly model: 'grid'; readonly steps: readonly GridStep[] }
  /** An amount by a formula over named values. */
  | { readonly model: 'formula'; readonly formula: string }

export interface PriceTier {
  /** Inclusive upper bound; null for the last tier. */
  readonly upTo: string | null
  readonly unitAmount: string
  readonly flatAmount?: string
}

export interface StairstepTier {
  readonly upTo: string | null
  readonly flatAmount: string
}

export interface GridStep {
  /** Inclusive lower bound. */
  readonly from: string
  readonly amount: string
  readonly kind: 'fixed' | 'times_value'
}

export interface PriceModifiers {
  /** Comes off the quantity before it is priced; only the rest is billed. */
  readonly includedQuantity?: string
  /** No more than this quantity is billed (D-37); what is above is recorded and costs nothing. */
  readonly greatestQuantity?: string
  /** Bounds of a full period's amount; prorated with the line. */
  readonly leastAmount?: string
  readonly greatestAmount?: string
}
