import Big from 'big.js'
import { roundHalfAwayFromZero } from './money.ts'
import { describePriceModel } from './pricing/describe.ts'
import type { Price } from './pricing/price.ts'
import { ratePrice } from './pricing/rate.ts'

/** A line as it was sold, or as it would be now. */
export interface OrderedLine {
  readonly productId: string
  readonly product: string
  readonly unit: string
  readonly quantity: string
  readonly price: Price
  readonly isMetered: boolean
}

export interface SaidLine {
  readonly quantity: string
  readonly priceSentence: string
  /** Of one full period; 0 for what is metered. */
  readonly amountMinor: number
}

/** What is another one than before: null is a line that was not there, or is not sold any more. */
export interface LineDifference {
  readonly product: string
  readonly before: SaidLine | null
  readonly now: SaidLine | null
}

/**
 * What changed between what was sold and what the same order would be now: lines of one product are compared in their order.
 * Support at 10.00 that costs 12.00 now is one difference; a line that costs as much as before is none.
 */
export function compareLines(
  before: readonly OrderedLine[],
  now: readonly OrderedLine[],
  currency: string,
): LineDifference[] {
  const products = new Map([...before, ...now].map(({ productId, product }) => [productId, product]))
  return [...products].flatMap(([productId, product]) => {
    const [former, present] = [before, now].map((lines) =>
      lines.filter((line) => line.productId === productId),
    )
    const count = Math.max(former?.length ?? 0, present?.length ?? 0)
    return Array.from({ length: count }, (_, index) => ({
      product,
      before: sayLine(former?.[index], currency),
      now: sayLine(present?.[index], currency),
    })).filter((difference) => !saySame(difference))
  })
}

function sayLine(line: OrderedLine | undefined, currency: string): SaidLine | null {
  if (!line) return null
  const { quantity, price, unit, isMetered } = line
  return {
    quantity,
    priceSentence: describePriceModel(price, currency, unit),
    amountMinor: isMetered ? 0 : roundHalfAwayFromZero(ratePrice(price, new Big(quantity)).amount, currency),
  }
}

function saySame({ before, now }: LineDifference): boolean {
  if (before === null || now === null) return false
  return (
    new Big(before.quantity).eq(now.quantity) &&
    before.priceSentence === now.priceSentence &&
    before.amountMinor === now.amountMinor
  )
}
