import type { FormerAnchor } from '../billing-cycle.ts'
import { earlierDate, laterDate, type BillingInterval, type Period } from '../calendar.ts'
import type { ExchangeRate } from '../exchange-rate.ts'
import type { Price } from '../pricing/price.ts'
import type { ValuedEvents } from '../pricing/rated-price.ts'
import type { BillingTiming, BillingType } from '../product.ts'
import type { TaxDecision } from '../tax.ts'
import type { Terms } from '../terms.ts'
import type { UsageQuantity } from '../usage.ts'

/** A correction takes from a line of an invoice by a credit note that a person made; all others are computed. */
export type InvoiceLineKind =
  'one_time' | 'recurring' | 'usage' | 'credit' | 'late_usage' | 'true_up' | 'one_off' | 'correction'

/** A subscription line as agreed, with what was billed of it so far. */
export interface BillableLine {
  readonly id: string
  readonly subscriptionId: string
  readonly productId: string
  readonly description: string
  readonly billingType: BillingType
  readonly billingTiming: BillingTiming
  /** Days before its period that what is paid in advance is due; left out: none. */
  readonly advanceDays?: number
  /** Null for a one-time fee. */
  readonly interval: BillingInterval | null
  readonly billingCycleAnchor: string
  /** Where the anchor was moved: by which one the days before are counted. */
  readonly formerAnchor?: FormerAnchor | undefined
  readonly quantity: string
  readonly unit: string
  readonly metric: string | null
  readonly price: Price
  /** Where the price was read; null is the product's base price. */
  readonly priceListItemId: string | null
  /** The rate by which the price came from another currency; left out or null where it is its own. */
  readonly conversion?: ExchangeRate | null
  readonly terms: Terms
  /** The product's own: standard, reduced, books. */
  readonly taxCategory: string
  readonly startsOn: string
  /** The first day that is not served any more; null while open. */
  readonly endsOn: string | null
  /** First day of the line which this one, perhaps by way of others, succeeds; its own `startsOn` if none. */
  readonly firstStartsOn: string
  /** How the lines which it succeeds counted their cycles, oldest first; left out where it succeeds none. */
  readonly formerCycles?: readonly CyclesInForce[]
  /** Oldest first, what was billed anew after what it took the place of. */
  readonly billed: readonly BilledPart[]
}

/** By which cycles a line was billed from a day on. */
export interface CyclesInForce {
  readonly from: string
  readonly anchor: string
  readonly interval: BillingInterval
}

/** A charge or a credit that stands on a document, drafts included. One-time fees have no period. */
export interface BilledPart {
  /** Of the invoice line. */
  readonly id: string
  readonly kind: InvoiceLineKind
  readonly servicePeriod: Period | null
  /** What was metered for it, in the line's unit; left out where nothing is. */
  readonly meteredQuantity?: string
  /** It was billed before its cycle was over (D-39). */
  readonly isEarly?: true
  readonly ratedMinor: number
  readonly discountMinor: number
  /** Net of discounts and tax. */
  readonly amountMinor: number
  readonly taxMinor: number
  /** What credits and corrections took from it so far: 0 or more, net and tax. */
  readonly creditedMinor: number
  readonly creditedTaxMinor: number
  readonly tax: TaxDecision
}

/** What is due, before it is priced. */
export type DuePart = OneTimePart | RecurringPart | UsagePart | CreditPart | LateUsagePart | OneOffPart

export interface OneTimePart {
  readonly kind: 'one_time'
  readonly line: BillableLine
}

export interface RecurringPart {
  readonly kind: 'recurring'
  readonly line: BillableLine
  readonly servicePeriod: Period
  readonly cycle: Period
  /** What its price looks up by name of the instance; left out where it names nothing. */
  readonly values?: Readonly<Record<string, string>>
}

export interface UsagePart {
  readonly kind: 'usage'
  readonly line: BillableLine
  readonly servicePeriod: Period
  readonly cycle: Period
  /** Where days of its cycle were billed early: what was billed of them, from which tiers go on counting (D-39). */
  readonly billedQuantity?: string
  /** It is billed before its cycle is over. */
  readonly isEarly?: true
  /** What its price looks up by name of the instance; left out where it names nothing. */
  readonly values?: Readonly<Record<string, string>>
}

export interface CreditPart {
  readonly kind: 'credit'
  readonly line: BillableLine
  readonly servicePeriod: Period
  readonly charge: BilledPart
}

/** What came after its period was billed (D-11): at the price of that period, on the next document. */
export interface LateUsagePart {
  readonly kind: 'late_usage'
  readonly line: BillableLine
  readonly servicePeriod: Period
  readonly cycle: Period
  /** The price that the period was billed at. */
  readonly price: Price
  /** Billed in the period and late before, in the line's unit. */
  readonly billedQuantity: string
  /** What all that came to, as it was rated and rounded; left out: the price of the billed quantity, rounded. */
  readonly billedMinor?: number
  /** Its cycle is billed in several parts, which count on from each other (D-39). */
  readonly isOfSplitCycle?: true
  /** What came since; negative where what was measured turned out lower. */
  readonly late: MeasuredUsage
  /** Of a share of single values that are priced together: all that there are by now. What was billed of them comes off. */
  readonly valuesByNow?: readonly string[]
  readonly eventIds: readonly string[]
}

/** A fee that an operator put on the next document of a customer. */
export interface OneOffPart {
  readonly kind: 'one_off'
  readonly charge: OneOffCharge
}

export interface OneOffCharge {
  readonly id: string
  readonly subscriptionId: string | null
  readonly productId: string | null
  readonly description: string
  readonly quantity: string
  readonly unit: string
  readonly price: Price
  readonly taxCategory: string
  readonly chargedOn: string
  /** It says something and charges nothing; left out: it charges. */
  readonly isText?: boolean
}

/** The frozen aggregate of a usage part, and the values behind it where its price asks for them. */
export interface MeasuredUsage {
  readonly usage: UsageQuantity
  readonly events?: ValuedEvents
}

/** First day of what the lines are for, and the first day after; undefined when all are one-time fees. */
export function spanOf(lines: readonly { readonly servicePeriod: Period | null }[]): Period | undefined {
  const periods = lines.flatMap((line) => (line.servicePeriod ? [line.servicePeriod] : []))
  const [first, ...others] = periods
  if (!first) return undefined
  return others.reduce(
    (span, period) => ({
      start: earlierDate(span.start, period.start),
      end: laterDate(span.end, period.end),
    }),
    first,
  )
}
