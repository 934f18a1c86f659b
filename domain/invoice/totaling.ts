import Big from 'big.js'
import { spread } from '../money.ts'
import { fillPlaceholders } from '../placeholder.ts'
import type { TaxDecision } from '../tax.ts'
import type { DiscountedLine } from './discounting.ts'
import type { DocumentDraft, DocumentInput, DocumentLineDraft, DocumentTax } from './document.ts'
import type { ExplainedTax, InvoiceLineExplanation } from './explanation.ts'
import type { MirroredCharge, RatedLine } from './rated-line.ts'
import { computeTotals, type LineAmounts, type TaxableLine } from './totals.ts'

interface TaxedLine extends TaxableLine {
  readonly discounted: DiscountedLine
}

/** Taxes the lines and adds them up. Credits bring the tax of what they give back with them. */
export function totalDocument(lines: readonly DiscountedLine[], input: DocumentInput): DocumentDraft {
  const { arePricesInclusive, taxRounding, decide } = input.tax
  const charges = lines.flatMap((discounted): TaxedLine[] => {
    const { rated, leftMinor } = discounted
    if (rated.mirror !== null || rated.isText) return []
    return [{ discounted, amountMinor: leftMinor, tax: decide(rated.taxCategory, rated.taxedOn) }]
  })
  const totals = computeTotals(charges, { arePricesInclusive, rounding: taxRounding })
  const taxed = new Map(totals.lines.map((line) => [line.discounted, line]))
  const mirrors = lines.flatMap(({ rated }) => (rated.mirror === null ? [] : [rated.mirror]))
  const netMinor = totals.netMinor + sum(mirrors.map((mirror) => mirror.netMinor))
  const taxMinor = totals.taxMinor + sum(mirrors.map((mirror) => mirror.taxMinor))
  return {
    kind: netMinor + taxMinor < 0 ? 'credit_note' : 'invoice',
    currency: input.currency,
    arePricesInclusive,
    taxRounding,
    lines: lines.map((line) => draftLine(line, taxed.get(line), input.language)),
    taxes: addTaxes([...totals.taxes, ...mirrors.flatMap(mirroredTaxes)]),
    netMinor,
    taxMinor,
    totalMinor: netMinor + taxMinor,
  }
}

function draftLine(
  discounted: DiscountedLine,
  taxed: (TaxedLine & LineAmounts) | undefined,
  language: string,
): DocumentLineDraft {
  const { rated, leftMinor } = discounted
  const { mirror } = rated
  const decision = mirror?.tax ?? taxed?.tax
  return {
    kind: rated.kind,
    subscriptionLineId: rated.line?.id ?? null,
    oneOffChargeId: rated.oneOffChargeId,
    creditsLineId: mirror?.chargeId ?? null,
    description: rated.servicePeriod
      ? fillPlaceholders(rated.description, rated.servicePeriod, language)
      : rated.description,
    billingType: rated.billingType,
    quantity: rated.quantity,
    unit: rated.unit,
    unitPrice: rated.unitPrice,
    servicePeriod: rated.servicePeriod,
    ratedMinor: rated.ratedMinor,
    discountMinor: rated.ratedMinor - leftMinor,
    amountMinor: mirror?.netMinor ?? taxed?.netMinor ?? 0,
    taxCategory: decision?.category ?? 'out_of_scope',
    taxRatePercent: ratePercentOf(decision),
    taxMinor: mirror?.taxMinor ?? taxed?.taxMinor ?? 0,
    ...(rated.isText ? { isText: true } : {}),
    lateEventIds: rated.lateEventIds,
    explanation: explain(discounted, decision),
  }
}

function ratePercentOf(decision: TaxDecision | undefined): string {
  const [first, ...others] = decision?.rates ?? []
  if (first === undefined) return '0'
  return others.reduce((total, rate) => total.plus(rate.ratePercent), new Big(first.ratePercent)).toFixed()
}

function explain(
  { rated, discounts }: DiscountedLine,
  decision: TaxDecision | undefined,
): InvoiceLineExplanation {
  const tax = decision === undefined ? undefined : explainTax(rated, decision)
  return {
    ...rated.explanation,
    ...(discounts.length === 0 ? {} : { discounts }),
    ...(tax === undefined ? {} : { tax }),
  }
}

function explainTax(rated: RatedLine, decision: TaxDecision): ExplainedTax | undefined {
  if (decision.rule === 'seller_has_no_rates') return undefined
  return {
    on: rated.taxedOn,
    of: rated.taxCategory,
    rule: decision.rule,
    rates: decision.rates,
    ...(decision.note === null ? {} : { note: decision.note }),
    ...(decision.source === undefined ? {} : { source: decision.source }),
  }
}

/** The tax of a credit by its rates, as the charge had them. */
function mirroredTaxes({ netMinor, taxMinor, tax }: MirroredCharge): DocumentTax[] {
  const { category, note } = tax
  if (tax.rates.length === 0)
    return [{ category, name: '', ratePercent: '0', baseMinor: netMinor, taxMinor, note }]
  const weights = tax.rates.map((rate) => new Big(rate.ratePercent))
  const shares = spread(taxMinor, weights)
  return tax.rates.map((rate, index) => ({
    category,
    ...rate,
    baseMinor: netMinor,
    taxMinor: shares[index] ?? 0,
    note,
  }))
}

/** One entry of a category and rate, in the order in which the lines first name them. */
export function addTaxes(taxes: readonly DocumentTax[]): DocumentTax[] {
  const groups = Map.groupBy(taxes, (tax) =>
    JSON.stringify([tax.category, tax.name, new Big(tax.ratePercent).toFixed(), tax.note]),
  )
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first || group.length === 1) return first ?? []
    const baseMinor = sum(group.map((tax) => tax.baseMinor))
    return [{ ...first, baseMinor, taxMinor: sum(group.map((tax) => tax.taxMinor)) }]
  })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
