/**
 * How a quantity becomes an amount. A price is agreed once, stands on the line as it was agreed, and is never rounded:
 * every number is a decimal in text, amounts in major units. Which price applies is decided by price lists; what it comes
 * to by `ratePrice`.
 */
export type Price = PriceModel & PriceModifiers

export type PriceModel =
  | PerUnitPrice
  | FlatPrice
  | GraduatedPrice
  | VolumePrice
  | GraduatedPercentagePrice
  | StairstepPrice
  | PackagePrice
  | PercentagePrice
  | CommitmentPrice
  | GridPrice
  | FormulaPrice

/** The quantity times the unit amount; "X per Y units" with `perUnits`: 0.60 per 1,000 requests. */
export interface PerUnitPrice {
  readonly model: 'per_unit'
  readonly unitAmount: string
  readonly perUnits?: string
}

/** The amount, whatever the quantity. */
export interface FlatPrice {
  readonly model: 'flat'
  readonly amount: string
}

/** Each unit at the price of its own tier, and the flat amount of every tier entered. */
export interface GraduatedPrice {
  readonly model: 'graduated'
  readonly tiers: readonly PriceTier[]
  /** Started packages of this size are counted instead of units: bounds and unit amounts are of packages. */
  readonly packageSize?: string
}

/** All units at the price of the tier reached, and its flat amount. */
export interface VolumePrice {
  readonly model: 'volume'
  readonly tiers: readonly PriceTier[]
  /** As in `GraduatedPrice`. */
  readonly packageSize?: string
}

/** Each part of a value, which is money, at the percentage of its own tier. */
export interface GraduatedPercentagePrice {
  readonly model: 'graduated_percentage'
  readonly tiers: readonly PercentageTier[]
}

/** The flat amount of the step reached. */
export interface StairstepPrice {
  readonly model: 'stairstep'
  readonly tiers: readonly StairstepTier[]
}

/** Started packages (`up`, the default), or whole ones, or exact shares of one, at one amount each. */
export interface PackagePrice {
  readonly model: 'package'
  readonly packageSize: string
  readonly packageAmount: string
  readonly rounding?: 'up' | 'down' | 'exact'
  /** So many are billed at least, also at quantity 0. */
  readonly minimumPackages?: number
}

/** A share of a value: percent of the quantity, which is money, and an amount per event. */
export interface PercentagePrice {
  readonly model: 'percentage'
  readonly ratePercent: string
  readonly amountPerEvent?: string
  /** Bounds of what one event costs; they ask for the value of each event. */
  readonly leastPerEvent?: string
  readonly greatestPerEvent?: string
  /** The first events of a period, and the first of their value, cost nothing; where both are set, while both last. */
  readonly freeEvents?: number
  readonly freeValue?: string
}

/** Dearer above a commitment; with a true-up, at least the commitment is billed. */
export interface CommitmentPrice {
  readonly model: 'commitment'
  readonly unitAmount: string
  readonly committedQuantity: string
  /** What a unit above the commitment costs, times the unit amount; 1 if it is left out. */
  readonly overageFactor?: string
  readonly isTruedUp?: boolean
}

/**
 * By recorded or measured values. In each group of one value and one kind, the step with the highest bound not
 * above the value counts; the groups are summed, and the fixed amount comes on top.
 */
export interface GridPrice {
  readonly model: 'grid'
  readonly steps: readonly GridStep[]
  readonly fixedAmount?: string
}

/** An amount by a formula over named values, see `formula.ts`. */
export interface FormulaPrice {
  readonly model: 'formula'
  readonly formula: string
}

export interface PriceTier {
  /** Inclusive upper bound; null for the last tier. */
  readonly upTo: string | null
  readonly unitAmount: string
  readonly flatAmount?: string
}

export interface PercentageTier {
  readonly upTo: string | null
  readonly ratePercent: string
  readonly flatAmount?: string
}

export interface StairstepTier {
  readonly upTo: string | null
  readonly flatAmount: string
}

export interface GridStep {
  /** Inclusive lower bound. */
  readonly from: string
  /** The bound itself belongs to the step below: so an inclusive upper bound is kept exactly. */
  readonly isFromExcluded?: boolean
  readonly amount: string
  readonly kind: 'fixed' | 'times_value'
  /** The named value that is looked up; left out, the line's own quantity. */
  readonly value?: string
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
