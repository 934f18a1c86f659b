import Big from 'big.js'
import { ratePrice } from './rate.ts'
import { sumSteps, type RatedPrice, type RatingContext, type RatingStep } from './rated-price.ts'
import type { Price } from './price.ts'

/** What a late quantity changes: the whole, rated anew, minus what was billed. */
export interface RatedDifference {
  /** Exact, in major units; negative where more was billed than the whole comes to. */
  readonly amount: Big
  readonly quantity: Big
  /** What was billed before, taken back: 0 or negative. */
  readonly reversed: Big
  /** The whole at its own price. */
  readonly charged: RatedPrice
  /** What changed of each step, without those that stay as they were; their amounts add up to the amount. */
  readonly steps: readonly DifferenceStep[]
}

export interface DifferenceStep {
  readonly step: RatingStep
  /** Of the step's amount, in major units. */
  readonly amount: string
}

/**
 * A value that came after its period was billed (D-11): the price of the whole minus the price of what was billed, so
 * tiers go on counting. Volume, to 15 at 10.00, above at 5.00: 15 units billed 150.00, one late unit is 80.00 - 150.00.
 * Two differences in a row come to the same as one.
 * @param billedQuantity null where nothing was billed yet, not even what is owed at quantity 0
 * @throws as `ratePrice`
 */
export function rateDifference(
  price: Price,
  billedQuantity: Big | null,
  newQuantity: Big,
  context: RatingContext = {},
): RatedDifference {
  const nothing: RatedPrice = { amount: new Big(0), billedQuantity: new Big(0), steps: [] }
  const billed = billedQuantity === null ? nothing : ratePrice(price, billedQuantity, context)
  const charged = ratePrice(price, newQuantity, context)
  return {
    amount: charged.amount.minus(billed.amount),
    quantity: charged.billedQuantity.minus(billed.billedQuantity),
    reversed: billed.amount.eq(0) ? new Big(0) : billed.amount.neg(),
    charged,
    steps: differences(billed.steps, charged.steps),
  }
}

/** Steps of one kind at one place of the price belong together: a tier with itself, not with the next one. */
function differences(billed: readonly RatingStep[], charged: readonly RatingStep[]): DifferenceStep[] {
  const before = Map.groupBy(billed, placeOf)
  const after = Map.groupBy(charged, placeOf)
  const places = new Set([...before.keys(), ...after.keys()])
  return [...places].flatMap((place) => {
    const step = after.get(place)?.[0] ?? before.get(place)?.[0]
    const amount = sumSteps(after.get(place) ?? []).minus(sumSteps(before.get(place) ?? []))
    return step === undefined || amount.eq(0) ? [] : [{ step, amount: amount.toFixed() }]
  })
}

function placeOf(step: RatingStep): string {
  if (step.kind === 'tier') return `tier/${step.from}/${step.upTo}`
  if (step.kind === 'grid') return `grid/${step.value}/${step.gridKind}/${step.from}`
  return step.kind
}

/** An amount of usage in minor units that was billed before its period ended, and after which value it was found. */
export interface EarlyInvoice {
  readonly amountMinor: number
  /** Index of the total at which it was made. */
  readonly foundAt: number
}

/**
 * Usage invoiced before its period ends (D-39): when a total reaches the next threshold, all that is not yet billed is, not
 * only the step; thresholds that were passed meanwhile are done. Thresholds 200.00 and 500.00, totals 200.00, 400.00,
 * 600.00: invoices of 200.00 and 400.00.
 * @param totalsMinor the amount of the period's usage as it grows, cumulated
 */
export function earlyInvoices(
  thresholdsMinor: readonly number[],
  totalsMinor: readonly number[],
): EarlyInvoice[] {
  const thresholds = thresholdsMinor.toSorted((first, second) => first - second)
  let passed = 0
  let billedMinor = 0
  return totalsMinor.flatMap((totalMinor, foundAt) => {
    const reached = thresholds.filter((threshold) => threshold <= totalMinor).length
    if (reached <= passed || totalMinor <= billedMinor) return []
    passed = reached
    const amountMinor = totalMinor - billedMinor
    billedMinor = totalMinor
    return [{ amountMinor, foundAt }]
  })
}

/** A period's end after early invoices: all its fees, less what was billed early, and never below 0. */
export interface EarlySettlement {
  readonly feesMinor: number
  readonly creditedMinor: number
  /** What was billed early beyond the fees; a credit note gives it back. */
  readonly excessMinor: number
  readonly totalMinor: number
}

/** Period total 600.00, billed early 240.00: the rest is 360.00. */
export function settleEarlyInvoices(
  feesMinor: readonly number[],
  invoicedMinor: readonly number[],
): EarlySettlement {
  const fees = total(feesMinor)
  const invoiced = total(invoicedMinor)
  const credited = Math.min(fees, invoiced)
  return {
    feesMinor: fees,
    creditedMinor: credited,
    excessMinor: invoiced - credited,
    totalMinor: fees - credited,
  }
}

function total(amountsMinor: readonly number[]): number {
  return amountsMinor.reduce((sum, amount) => sum + amount, 0)
}
