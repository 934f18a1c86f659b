import { daysIn, type Period } from '../calendar.ts'
import type { FormulaNames, FormulaValues } from '../pricing/formula.ts'
import type { Price } from '../pricing/price.ts'
import type { RatingContext } from '../pricing/rated-price.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import type { BillingType } from '../product.ts'
import type { TaxDecision } from '../tax.ts'
import { isBounded, shareServed, type InvoiceLineExplanation } from './explanation.ts'
import type { BillableLine, InvoiceLineKind, MeasuredUsage, RecurringPart, UsagePart } from './lines.ts'

/** A priced part, before discounts and tax. */
export interface RatedLine {
  readonly kind: InvoiceLineKind
  /** Null for a one-off, which belongs to no line. */
  readonly line: BillableLine | null
  readonly subscriptionId: string | null
  readonly productId: string | null
  readonly oneOffChargeId: string | null
  /** Null but for a credit. */
  readonly mirror: MirroredCharge | null
  readonly description: string
  readonly billingType: BillingType
  readonly quantity: string
  readonly unit: string
  readonly unitPrice: string | null
  readonly servicePeriod: Period | null
  /** In minor units, rounded once; with tax where prices include it. */
  readonly ratedMinor: number
  /** The product's own, and the day that decides the rate. */
  readonly taxCategory: string
  readonly taxedOn: string
  /** A text alone, which no tax is asked of. */
  readonly isText?: true
  readonly lateEventIds: readonly string[]
  readonly explanation: InvoiceLineExplanation
}

/** What a credit gives back of a charge, 0 or less, under the tax decision of the charge. */
export interface MirroredCharge {
  readonly chargeId: string
  readonly netMinor: number
  readonly taxMinor: number
  readonly tax: TaxDecision
}

export const noEvents: readonly string[] = []

/** What a line of a document takes from its subscription line. */
export function lineFacts(line: BillableLine) {
  return {
    line,
    subscriptionId: line.subscriptionId,
    productId: line.productId,
    oneOffChargeId: null,
    mirror: null,
    description: line.description,
    billingType: line.billingType,
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: unitPriceOf(line.price),
    taxCategory: line.taxCategory,
    lateEventIds: noEvents,
  }
}

/** What the formula of a line's price may name besides `quantity`: days only where it is charged by period. */
export function lineFormulaNames(line: { readonly isRecurring: boolean }): FormulaNames {
  const days = line.isRecurring ? ['period.days', 'cycle.days'] : []
  return { values: ['line.quantity', ...days], metrics: [] }
}

/** What a formula price may name, and the values of the instance that a grid names. */
export function lineValues(
  line: BillableLine,
  part?: Pick<RecurringPart, 'servicePeriod' | 'cycle' | 'values'>,
): FormulaValues {
  if (line.price.model === 'grid') return part?.values === undefined ? {} : { values: part.values }
  if (line.price.model !== 'formula') return {}
  const ofLine = { 'line.quantity': line.quantity }
  if (part === undefined) return { values: ofLine }
  const values = {
    ...ofLine,
    'period.days': String(daysIn(part.servicePeriod)),
    'cycle.days': String(daysIn(part.cycle)),
  }
  return { values }
}

type PricedUsage = Pick<UsagePart, 'line' | 'servicePeriod' | 'cycle' | 'values'>

/** What the price of usage may ask for beside its quantity. */
export function usageContext(part: PricedUsage, price: Price, measured: MeasuredUsage): RatingContext {
  return {
    ...lineValues({ ...part.line, price }, part),
    ...(measured.events === undefined ? {} : { events: measured.events }),
    ...(isBounded(price) ? { boundShare: shareServed(part) } : {}),
  }
}
