import type { Period } from '../calendar.ts'
import type { BillingType } from '../product.ts'
import type { InvoiceLineExplanation, InvoiceLineKind } from './lines.ts'

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
