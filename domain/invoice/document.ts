import Big from 'big.js'
import type { BillingInterval, Period } from '../calendar.ts'
import type { BillingType } from '../product.ts'
import type { TaxDecision } from '../tax.ts'
import type { BoundStretch } from './bound-stretch.ts'
import { holdBounds } from './bounds.ts'
import { rateCredit } from './crediting.ts'
import { countOn, type CountedOn } from './early.ts'
import { discountLines, type DiscountInForce } from './discounting.ts'
import type { InvoiceLineExplanation } from './explanation.ts'
import type { BillableLine, DuePart, InvoiceLineKind, MeasuredUsage, UsagePart } from './lines.ts'
import type { RatedLine } from './rated-line.ts'
import { ratePart } from './rating.ts'
import { totalDocument } from './totaling.ts'

/** Why a bill is made: a document's period begins, a subscription begins or ends within one, or so much usage is not billed yet. */
export type BillReason = 'period' | 'opening' | 'final' | 'early'

/** All that a document is computed from. Nothing else is looked at: not a clock, not a row. */
export interface DocumentInput {
  readonly reason: BillReason
  readonly currency: string
  readonly asOf: string
  /** Where it is made before its period begins: the day up to which arrears are due. Left out: `asOf`. */
  readonly arrearsUntil?: string | undefined
  /** How the document counts its periods; null for a bill that lies on none. */
  readonly cycles: { readonly anchor: string; readonly interval: BillingInterval } | null
  /** All lines of the document, also those of which nothing is due. */
  readonly lines: readonly BillableLine[]
  readonly parts: readonly DuePart[]
  readonly usageOf: (part: UsagePart) => MeasuredUsage
  readonly discounts: readonly DiscountInForce[]
  readonly bounds: readonly SubscriptionBounds[]
  readonly tax: DocumentTaxTerms
  /** A BCP 47 tag: months and dates in the texts of lines are said in it. */
  readonly language: string
}

/** What the lines of a subscription come to in one period, in major units, before tax. */
export interface SubscriptionBounds {
  readonly subscriptionId: string
  readonly leastAmount: string | null
  readonly greatestAmount: string | null
  /** Where they are held and what was settled; left out: on this document, of which the period before is settled. */
  readonly held?: BoundStretch
}

export interface DocumentTaxTerms {
  readonly arePricesInclusive: boolean
  readonly taxRounding: 'document' | 'line'
  /** Of a product's tax category, for service that begins on a day. */
  readonly decide: (category: string, on: string) => TaxDecision
}

/** What a document will hold, before it has a number: preview, simulation and the real one are this same value. */
export interface DocumentDraft {
  /** A credit note where the total is less than nothing: an invoice is never negative. */
  readonly kind: 'invoice' | 'credit_note'
  readonly currency: string
  readonly arePricesInclusive: boolean
  readonly taxRounding: 'document' | 'line'
  /** Charges are positive, credits negative, on a credit note too. */
  readonly lines: readonly DocumentLineDraft[]
  readonly taxes: readonly DocumentTax[]
  /** Sums of lines and taxes, signed as these are. */
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
}

/** Whether every line comes to 0.00. A charge and a credit that make 0.00 together are both something. */
export function isOfNothing({ kind, lines, totalMinor }: DocumentDraft): boolean {
  return kind === 'invoice' && totalMinor === 0 && lines.every((line) => line.amountMinor === 0)
}

/** Where it is never sent (E-26), its texts are on none: they wait for one that somebody reads. */
export function withoutTexts(draft: DocumentDraft): DocumentDraft {
  return { ...draft, lines: draft.lines.filter((line) => !line.isText) }
}

export interface DocumentLineDraft {
  readonly kind: InvoiceLineKind
  readonly subscriptionLineId: string | null
  readonly oneOffChargeId: string | null
  /** The charge that a credit takes from. */
  readonly creditsLineId: string | null
  readonly description: string
  readonly billingType: BillingType
  readonly quantity: string
  readonly unit: string
  /** Null where the price has no single one. */
  readonly unitPrice: string | null
  readonly servicePeriod: Period | null
  /** As priced: before discounts, and with tax where prices include it. */
  readonly ratedMinor: number
  readonly discountMinor: number
  /** Net of discounts and tax. */
  readonly amountMinor: number
  readonly taxCategory: string
  readonly taxRatePercent: string
  readonly taxMinor: number
  /** Its description stands alone: it has no price, and lies in no group of taxes. */
  readonly isText?: true
  /** Usage events that this line bills late; they are bound to its window. */
  readonly lateEventIds: readonly string[]
  readonly explanation: InvoiceLineExplanation
}

/** Base and tax of one category and rate. */
export interface DocumentTax {
  readonly category: string
  readonly name: string
  readonly ratePercent: string
  readonly baseMinor: number
  readonly taxMinor: number
  /** Why there is no tax, in the words the law asks for. */
  readonly note: string | null
}

/**
 * Computes a document from what is due, in the order of E-28: each part is priced and rounded once, line discounts,
 * document discounts, what a subscription comes to at least and at most, tax, totals. Credits are not priced: they give
 * back net and tax of what was charged. Null when nothing is due, or nothing but texts and usage of 0 that its terms leave
 * out, and nothing is missing to what was agreed at least.
 * @throws as `ratePrice` and `determineTax`: a document with a doubtful line is not made
 */
export function computeDocument(input: DocumentInput): DocumentDraft | null {
  const counted = countOn(input.parts)
  const rated = input.parts.map((part) => rateDue(part, counted, input)).filter(isShown)
  const held = holdBounds(discountLines(rated, input.discounts, input), input)
  // A text alone makes no document: it waits for one of something.
  return held.every(({ rated }) => rated.isText) ? null : totalDocument(held, input)
}

/** A usage line of 0 may be left out (D-18); what it costs at quantity 0 is shown. */
function isShown(rated: RatedLine): boolean {
  const isZero = rated.kind === 'usage' && rated.ratedMinor === 0 && new Big(rated.quantity).eq(0)
  return !isZero || rated.line?.terms.isZeroShown !== false
}

function rateDue(part: DuePart, counted: CountedOn, input: DocumentInput): RatedLine {
  if (part.kind === 'credit') return rateCredit(part, input.tax.arePricesInclusive)
  // What was measured is known by the part as it was due.
  const terms = part.kind === 'usage' ? { ...input, usageOf: () => input.usageOf(part) } : input
  return ratePart(counted.get(part) ?? part, terms)
}
