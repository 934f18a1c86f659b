import Big from 'big.js'
import { fieldError } from '../errors.ts'
import { exactShares, spread } from '../money.ts'
import { greater, lesser, percentOf, sumOf } from './decimal.ts'

/** A reduction before tax: a percentage (0 to 100), or an amount in minor units, of what its scope holds. */
export type Discount = {
  readonly id: string
  readonly scope: DiscountScope
} & ({ readonly percent: string } | { readonly amountMinor: number })

export type DiscountScope =
  | { readonly kind: 'document' }
  | { readonly kind: 'product'; readonly productIds: readonly string[] }
  | { readonly kind: 'line'; readonly lineIds: readonly string[] }

export interface DiscountableLine {
  readonly id: string
  readonly productId: string | null
  readonly amountMinor: number
}

/** What each discount takes off, in the order in which they were applied. */
export interface AppliedDiscount<Amount> {
  readonly discountId: string
  readonly amountMinor: Amount
  /** Off each line, in the order of the lines; 0 where it does not apply. */
  readonly sharesMinor: readonly Amount[]
  /** What all lines come to after it. */
  readonly afterMinor: Amount
}

export interface DiscountedLines<Amount> {
  readonly applied: readonly AppliedDiscount<Amount>[]
  /** What remains of each line. */
  readonly netMinor: readonly Amount[]
}

/**
 * Discounts on the lines of a document, in minor units. Those of lines and products come first, then those of the
 * document, each on what the ones before left, never below 0. A percentage is rounded once, half away from zero; an amount
 * is spread by weight, the largest remainder first: 10.00 over 3 equal lines is 3.34, 3.33, 3.33. Two of 10 % on 100.00
 * leave 81.00. Credits on the document are not discounted: they mirror what was charged.
 */
export function applyDiscounts(
  lines: readonly DiscountableLine[],
  discounts: readonly Discount[],
): DiscountedLines<number> {
  const { applied, netMinor } = apply(lines, discounts, (exact) => exact.round(0, Big.roundHalfUp), true)
  const numbers = (amounts: readonly Big[]) => amounts.map((amount) => Number(amount.toFixed()))
  return {
    applied: applied.map((discount) => ({
      discountId: discount.discountId,
      amountMinor: Number(discount.amountMinor.toFixed()),
      sharesMinor: numbers(discount.sharesMinor),
      afterMinor: Number(discount.afterMinor.toFixed()),
    })),
    netMinor: numbers(netMinor),
  }
}

/**
 * The same without rounding, for tax that is reckoned on exact shares; still in minor units. The shares of a discount add
 * up to it within the last of 40 decimals.
 */
export function applyDiscountsExactly(
  lines: readonly DiscountableLine[],
  discounts: readonly Discount[],
): DiscountedLines<Big> {
  return apply(lines, discounts, (exact) => exact, false)
}

function apply(
  lines: readonly DiscountableLine[],
  discounts: readonly Discount[],
  round: (exact: Big) => Big,
  isWhole: boolean,
): DiscountedLines<Big> {
  let netMinor = lines.map((line) => new Big(line.amountMinor))
  const narrowFirst = [
    ...discounts.filter((discount) => discount.scope.kind !== 'document'),
    ...discounts.filter((discount) => discount.scope.kind === 'document'),
  ]
  const applied = narrowFirst.map((discount) => {
    const weights = netMinor.map((net, index) =>
      isInScope(discount.scope, lines[index]) ? greater(new Big(0), net) : new Big(0),
    )
    const sharesMinor = sharesOf(discount, weights, round, isWhole)
    netMinor = netMinor.map((net, index) => net.minus(sharesMinor[index] ?? 0))
    const amountMinor = sumOf(sharesMinor)
    return { discountId: discount.id, amountMinor, sharesMinor, afterMinor: sumOf(netMinor) }
  })
  return { applied, netMinor }
}

/** A percentage of lines or products is of each line by itself; one of the document is of their sum, and spread. */
function sharesOf(
  discount: Discount,
  weights: readonly Big[],
  round: (exact: Big) => Big,
  isWhole: boolean,
): Big[] {
  const whole = sumOf(weights)
  if ('percent' in discount) {
    const percent = new Big(discount.percent)
    if (discount.scope.kind !== 'document') return weights.map((weight) => round(percentOf(weight, percent)))
    return spreadOver(weights, round(percentOf(whole, percent)), isWhole)
  }
  return spreadOver(weights, lesser(new Big(discount.amountMinor), whole), isWhole)
}

/** Where nothing is left to discount, nothing is spread. */
function spreadOver(weights: readonly Big[], amountMinor: Big, isWhole: boolean): Big[] {
  if (sumOf(weights).eq(0)) return weights.map(() => new Big(0))
  if (!isWhole) return exactShares(amountMinor, weights)
  return spread(Number(amountMinor.toFixed(0)), weights).map((share) => new Big(share))
}

function isInScope(scope: DiscountScope, line: DiscountableLine | undefined): boolean {
  if (line === undefined) return false
  if (scope.kind === 'line') return scope.lineIds.includes(line.id)
  if (scope.kind === 'product') return line.productId !== null && scope.productIds.includes(line.productId)
  return true
}

/** @throws `discount_invalid` for 120 %, -1 %, an amount of 0 or less */
export function checkDiscount(discount: Discount, pointer: string): void {
  if ('amountMinor' in discount) {
    if (Number.isSafeInteger(discount.amountMinor) && discount.amountMinor > 0) return
    const detail = 'A discount takes off an amount above 0, in minor units.'
    throw fieldError(`${pointer}/amountMinor`, 'discount_invalid', detail)
  }
  const isPercent = /^\d{1,3}(\.\d{1,10})?$/.test(discount.percent) && new Big(discount.percent).lte(100)
  if (isPercent) return
  const detail = `A discount is 0 to 100 percent, not ${discount.percent}.`
  throw fieldError(`${pointer}/percent`, 'discount_invalid', detail)
}
