import type { Period } from '../calendar.ts'
import type { Price } from '../pricing/price.ts'
import type { RatingStep } from '../pricing/rated-price.ts'
import type { AppliedTaxRate, TaxRule } from '../tax.ts'
import type { UsageQuantity } from '../usage.ts'

/**
 * How a line's amount came about: whoever has it can compute the amount anew. It is stored with every line, so that it
 * says nothing twice, and leaves out what is not so.
 */
export interface InvoiceLineExplanation {
  /** One sentence to read: `1 × 24.95 × 22 / 30 days`. */
  readonly formula: string
  /** As agreed, or for a re-read price as the lists had it on the first day. */
  readonly price?: Price
  readonly priceListItemId?: string
  /** Of the whole cycle, before the share of days; left out where the price has one step. */
  readonly steps?: readonly RatingStep[]
  readonly daysServed?: number
  readonly daysOfCycle?: number
  /** What the full price pays for, where the line is a part of it. */
  readonly cycle?: Period
  readonly usage?: UsageQuantity
  /** Where usage came late: what the period had been billed before. */
  readonly billedQuantity?: string
  /** Before the one rounding, in major units; left out where nothing was rounded. */
  readonly exactAmount?: string
  /** In their order, each with what it took off, in minor units. */
  readonly discounts?: readonly ExplainedDiscount[]
  /** Left out where the seller keeps no rates. */
  readonly tax?: ExplainedTax
}

export interface ExplainedDiscount {
  readonly name: string
  readonly discountId?: string
  readonly amountMinor: number
}

/** The question's day and category, the rule that answered, and the answer. */
export interface ExplainedTax {
  readonly on: string
  readonly of: string
  readonly rule: TaxRule
  readonly rates: readonly AppliedTaxRate[]
  readonly note?: string
}
