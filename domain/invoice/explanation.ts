import Big from 'big.js'
import type { Period } from '../calendar.ts'
import type { ExchangeRate } from '../exchange-rate.ts'
import { fromMinor } from '../money.ts'
import type { Price } from '../pricing/price.ts'
import type { RatedPrice, RatingStep } from '../pricing/rated-price.ts'
import { shareOf, type Share } from '../proration.ts'
import type { AppliedTaxRate, TaxRule } from '../tax.ts'
import type { UsageQuantity } from '../usage.ts'
import type { BillableLine, RecurringPart } from './lines.ts'

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
  /** The rate by which the price came from another currency. */
  readonly conversion?: ExchangeRate
  /** Of the whole cycle, before the share of days; left out where the price has one step. */
  readonly steps?: readonly RatingStep[]
  readonly daysServed?: number
  readonly daysOfCycle?: number
  /** What the full price pays for, where the line is a part of it. */
  readonly cycle?: Period
  readonly usage?: UsageQuantity
  /** Metered above the greatest quantity of the price, and not billed (D-37); the line's quantity is without it. */
  readonly notBilledQuantity?: string
  /** It was billed before its cycle was over, because so much was not billed yet (D-39). */
  readonly isEarly?: true
  /** Where usage came late, or days of its cycle were billed early: what the cycle had been billed before. */
  readonly billedQuantity?: string
  /** What a credit gives back of, and what had been given back of it before, net in minor units. */
  readonly chargedMinor?: number
  readonly creditedMinor?: number
  /** How much of the quantity a credit note took back, where it did not take an amount. */
  readonly creditedQuantity?: string
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
  /** Who answered, where it was an outside service. */
  readonly source?: string
}

type PartOfCycle = Pick<RecurringPart, 'line' | 'servicePeriod' | 'cycle'>

/** The share of its cycle that a part is, by the terms of its line. */
export function shareServed(part: PartOfCycle): Share {
  return shareOf(part.servicePeriod, part.cycle, part.line.terms.proration)
}

export function isWhole(share: Share): boolean {
  return share.numerator === share.denominator
}

export function isBounded(price: Price): boolean {
  return price.leastAmount !== undefined || price.greatestAmount !== undefined
}

export function explainPrice(
  { price, priceListItemId, conversion }: Pick<BillableLine, 'price' | 'priceListItemId' | 'conversion'>,
  rated: RatedPrice,
): Pick<InvoiceLineExplanation, 'price' | 'priceListItemId' | 'conversion' | 'steps'> {
  return {
    price,
    ...(priceListItemId === null ? {} : { priceListItemId }),
    ...(conversion == null ? {} : { conversion }),
    ...(isOneStep(rated.steps) ? {} : { steps: rated.steps }),
  }
}

/** One step, quantity times unit amount, is said by price and quantity already. */
function isOneStep(steps: readonly RatingStep[]): boolean {
  return steps.length === 1 && (steps[0]?.kind === 'units' || steps[0]?.kind === 'flat')
}

/** How much of a quantity the price does not bill: what is above its greatest one. */
export function notBilledOf(rated: RatedPrice): Big {
  const above = rated.steps.find((step) => step.kind === 'above_greatest')
  return new Big(above?.quantity ?? 0)
}

export function explainNotBilled(notBilled: Big): { notBilledQuantity?: string } {
  return notBilled.eq(0) ? {} : { notBilledQuantity: notBilled.toFixed() }
}

export function explainDays(part: RecurringPart, share: Share): Partial<InvoiceLineExplanation> {
  if (isWhole(share) && part.line.terms.proration === 'none') return {}
  const days = { daysServed: share.numerator, daysOfCycle: share.denominator }
  return isWhole(share) ? days : { ...days, cycle: part.cycle }
}

/** Usage is not prorated; what it costs at least or at most is. */
export function explainBound(part: PartOfCycle, price: Price): Partial<InvoiceLineExplanation> {
  const share = shareServed(part)
  if (!isBounded(price) || isWhole(share)) return {}
  return { daysServed: share.numerator, daysOfCycle: share.denominator, cycle: part.cycle }
}

/** Said only where something was rounded. Cut after 12 decimals, which rounds as the whole does. */
export function explainRounding(
  exact: Big,
  roundedMinor: number,
  currency: string,
): { exactAmount?: string } {
  if (exact.eq(fromMinor(roundedMinor, currency))) return {}
  return { exactAmount: exact.round(12, Big.roundDown).toFixed() }
}
