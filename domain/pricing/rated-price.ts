import Big from 'big.js'
import type { Share } from '../proration.ts'
import { sumOf } from './decimal.ts'
import type { FormulaValues } from './formula.ts'

/** What a quantity comes to, and how. */
export interface RatedPrice {
  /** Exact, in major units, never rounded. */
  readonly amount: Big
  /** What was priced: the quantity after the included one came off, up to the greatest. */
  readonly billedQuantity: Big
  /** The amounts of the steps add up to the amount. */
  readonly steps: readonly RatingStep[]
}

/** One step of an explanation: plain JSON, every number a decimal in text, amounts in major units. */
export type RatingStep =
  | { readonly kind: 'included'; readonly quantity: string }
  | { readonly kind: 'above_greatest'; readonly quantity: string }
  | { readonly kind: 'counted_in_packages'; readonly packages: string; readonly packageSize: string }
  | PricedStep

export type PricedStep =
  | {
      readonly kind: 'units'
      readonly quantity: string
      readonly unitAmount: string
      readonly perUnits?: string
      readonly amount: string
    }
  | { readonly kind: 'flat'; readonly amount: string }
  | {
      readonly kind: 'tier'
      /** Exclusive, but for the first tier, which begins at 0. */
      readonly from: string
      readonly upTo: string | null
      readonly quantity: string
      /** Per unit, or percent of a value. */
      readonly unitAmount?: string
      readonly ratePercent?: string
      readonly flatAmount: string
      readonly amount: string
    }
  | {
      readonly kind: 'package'
      readonly packages: string
      readonly packageSize: string
      readonly packageAmount: string
      readonly amount: string
    }
  | { readonly kind: 'free'; readonly events: string; readonly value: string; readonly amount: '0' }
  | {
      readonly kind: 'percent'
      readonly value: string
      readonly ratePercent: string
      readonly amount: string
    }
  | {
      readonly kind: 'events'
      readonly events: string
      readonly amountPerEvent: string
      readonly amount: string
    }
  /** What the bounds of single events added or took off, over all of them. */
  | {
      readonly kind: 'least_per_event' | 'greatest_per_event'
      readonly events: string
      readonly bound: string
      readonly amount: string
    }
  | {
      readonly kind: 'grid'
      readonly value: string | null
      readonly quantity: string
      readonly from: string
      readonly each: string
      readonly gridKind: 'fixed' | 'times_value'
      readonly amount: string
    }
  | {
      readonly kind: 'committed' | 'overage'
      readonly quantity: string
      readonly unitAmount: string
      readonly amount: string
    }
  | { readonly kind: 'true_up'; readonly amount: string }
  | { readonly kind: 'formula'; readonly formula: string; readonly amount: string }
  /** What a bound of the whole amount added or took off; `bound` is the one in force, prorated if the line was. */
  | { readonly kind: 'least' | 'greatest'; readonly bound: string; readonly amount: string }

/** What some prices ask for beside the quantity. */
export interface RatingContext extends FormulaValues {
  /** The quantity that chooses the tier of a volume price, where another one is billed. */
  readonly tierQuantity?: string
  readonly events?: ValuedEvents
  /** The part of a period that least and greatest amounts are meant for; a usage line is not prorated, its bounds are. */
  readonly boundShare?: Share
}

/** The events behind the value of a percentage price: each by itself, or counted with the sums of the first ones. */
export type ValuedEvents =
  | { readonly kind: 'each'; readonly values: readonly string[] }
  | {
      readonly kind: 'counted'
      readonly count: number
      /** Cumulated values of the first events, as far as anything may be free. */
      readonly runningTotals: readonly string[]
    }

export function amountOf(step: RatingStep): Big {
  return new Big('amount' in step ? step.amount : 0)
}

export function sumSteps(steps: readonly RatingStep[]): Big {
  return sumOf(steps.map(amountOf))
}
