import type { UsageCondition } from './usage-filter.ts'

/** What was agreed of a line beside its price. It stands on the product, and is copied onto the line when it is sold. */
export interface Terms {
  /** How a part of a period is charged (C-21). */
  readonly proration: 'day' | 'month_30' | 'none'
  /** When a change to more, or to a higher or equal price a year, takes effect; and one to less (C-26). */
  readonly upgrade: ChangeMoment
  readonly downgrade: ChangeMoment
  /**
   * What a customer's request for a change becomes: the change itself, or a task for an operator, before which nothing
   * changes (C-30, C-31).
   */
  readonly upgradeMode: 'automatic' | 'manual'
  /** What becomes of time that was paid for and not served (C-38). */
  readonly unusedTime: 'credit' | 'refund' | 'keep'
  /**
   * Whether the price was agreed for good, or is read again at each period: from the lists, or from the grid of the
   * instance or its application, where there is one.
   */
  readonly pricing: 'frozen' | 'reevaluated' | 'grid'
  /** A price revision passes this line by. */
  readonly isNeverRevised: boolean
  /** The fee ends after so many periods; null is without end. */
  readonly periodCount: number | null
  /** Days from the start of service that cost nothing (C-42). */
  readonly trialDays: number
  /** What follows them: it is billed, it is suspended until it is resumed, or it ends. */
  readonly trialEnd: 'bill' | 'suspend' | 'cancel'
  /** A customer gets these days once. */
  readonly isTrialOnce: boolean
  /** Whether periods are counted from the first day or follow the calendar's own (C-05). */
  readonly alignment: 'anchored' | 'calendar'
  /** A usage line of quantity 0 is shown, or left out (D-18). */
  readonly isZeroShown: boolean
  /** The shares of a limit, in percent, at which customer and operator are warned, each once a period (D-35). */
  readonly warningShares: readonly number[]
  /** What is billed of what was measured (D-16), see `quantityByFormula`; null: all of it. */
  readonly quantityFormula: string | null
  /** Of the use of its metric, a usage line bills only what fulfils all of these (D-15). */
  readonly usageFilter: readonly UsageCondition[]
  /** When the build begins (B-08); null: with the payment in the shop, at confirmation elsewhere. */
  readonly buildTrigger: 'confirmation' | 'payment' | 'acceptance' | null
  /** What happens at the sold quantity of a threshold fee (D-30): no more, slower, or a warning only. */
  readonly enforcement: Enforcement
}

export type Enforcement = 'hard' | 'throttle' | 'soft'

export type ChangeMoment = 'now' | 'period_end' | 'not_allowed'

export const defaultTerms: Terms = {
  proration: 'day',
  upgrade: 'now',
  downgrade: 'period_end',
  upgradeMode: 'automatic',
  unusedTime: 'credit',
  pricing: 'frozen',
  isNeverRevised: false,
  periodCount: null,
  trialDays: 0,
  trialEnd: 'bill',
  isTrialOnce: false,
  alignment: 'anchored',
  isZeroShown: true,
  warningShares: [80, 100],
  quantityFormula: null,
  usageFilter: [],
  buildTrigger: null,
  enforcement: 'hard',
}
