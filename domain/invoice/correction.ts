import Big from 'big.js'
import type { Period } from '../calendar.ts'
import { BusinessError } from '../errors.ts'
import { spread } from '../money.ts'
import type { BillingType } from '../product.ts'
import type { TaxDecision } from '../tax.ts'
import { creditLines, type CreditableLine, type CreditLine, type CreditRequest } from './credit-note.ts'
import type { DocumentDraft, DocumentLineDraft, DocumentTax } from './document.ts'
import type { ExplainedTax } from './explanation.ts'
import { addTaxes } from './totaling.ts'
import { computeTotals, type LineTax } from './totals.ts'

/** A finalized invoice as a credit note takes from it. */
export interface CorrectedInvoice {
  readonly number: string
  readonly currency: string
  readonly arePricesInclusive: boolean
  readonly taxRounding: 'document' | 'line'
  readonly lines: readonly CorrectedLine[]
}

export interface CorrectedLine {
  readonly id: string
  readonly subscriptionLineId: string | null
  readonly description: string
  readonly billingType: BillingType
  readonly quantity: string
  readonly unit: string
  readonly unitPrice: string | null
  readonly servicePeriod: Period | null
  readonly amountMinor: number
  readonly taxMinor: number
  /** Under which the line was charged. */
  readonly tax: TaxDecision
  readonly explainedTax: ExplainedTax | null
  /** What took from it before: lines of credit notes, and credits for days that were not served. */
  readonly credits: readonly LineCredited[]
}

/** Amounts have the sign opposite to the line. */
export interface LineCredited {
  readonly amountMinor: number
  readonly taxMinor: number
  /** How much of the line's quantity was taken back; null when an amount was. */
  readonly quantity: string | null
}

/**
 * The credit note that takes from an invoice what is asked for, in full or in part, each line under the tax decision of the
 * line it corrects. Whatever was credited before is taken into account: all notes of an invoice together mirror it to the
 * cent, and never exceed it.
 * @throws `credit_exceeds_invoice`, `field_invalid`, `not_found` for a line of another invoice
 */
export function draftCorrection(invoice: CorrectedInvoice, request: CreditRequest): DocumentDraft {
  const note = toDocument(invoice, partsOf(invoice, request))
  if (note.totalMinor > 0) {
    throw new BusinessError(
      'credit_exceeds_invoice',
      'These lines are credits: taken back alone, they would charge more, not less.',
    )
  }
  refuseBeyond(invoice, note.totalMinor)
  return note
}

/**
 * What annuls an invoice: all that is left of each line is taken back, of its credits too. Where others credited more of its
 * charges than it came to, that is no credit note but an invoice over the difference: of -3.50 and 17.00, of which 17.00 were
 * given back, it charges 3.50. Null where nothing is left.
 */
export function draftAnnulment(invoice: CorrectedInvoice): DocumentDraft | null {
  const isLeft = invoice.lines.some(
    (line) => leftOf(line) !== 0 || line.taxMinor + sum(line.credits.map(({ taxMinor }) => taxMinor)) !== 0,
  )
  return isLeft ? toDocument(invoice, partsOf(invoice, { kind: 'full' })) : null
}

function partsOf(invoice: CorrectedInvoice, request: CreditRequest): Part[] {
  const creditable = toCreditable(invoice)
  const before = invoice.lines.flatMap((line, index) =>
    line.credits.map((credit) => toCreditLine(line, credit, creditable[index]?.taxes ?? [])),
  )
  return creditLines(creditable, request, before).flatMap((credit) => {
    const line = invoice.lines.find(({ id }) => id === credit.lineId)
    return line === undefined ? [] : [{ line, credit }]
  })
}

function toDocument(invoice: CorrectedInvoice, parts: readonly Part[]): DocumentDraft {
  const netMinor = sum(parts.map(({ credit }) => credit.netMinor))
  const taxMinor = sum(parts.map(({ credit }) => credit.taxMinor))
  return {
    kind: netMinor + taxMinor > 0 ? 'invoice' : 'credit_note',
    currency: invoice.currency,
    arePricesInclusive: invoice.arePricesInclusive,
    taxRounding: invoice.taxRounding,
    lines: parts.map((part) => toLineDraft(part, invoice)),
    taxes: addTaxes(parts.flatMap(taxesOf)),
    netMinor,
    taxMinor,
    totalMinor: netMinor + taxMinor,
  }
}

/** An invoice that holds credits too comes to less than its charges: no more than that is given back. */
function refuseBeyond({ lines, number }: CorrectedInvoice, noteMinor: number): void {
  const leftMinor = sum(
    lines
      .flatMap((line) => [line, ...line.credits])
      .map(({ amountMinor, taxMinor }) => amountMinor + taxMinor),
  )
  if (leftMinor + noteMinor >= 0) return
  throw new BusinessError(
    'credit_exceeds_invoice',
    `These lines come to more than what is left of ${number}, which holds credits besides: credit it in full, or less of them.`,
  )
}

interface Part {
  readonly line: CorrectedLine
  readonly credit: CreditLine
}

/** The tax of each line by its rates, as it was when the invoice was computed: its lines say only their sums. */
function toCreditable({ lines, arePricesInclusive, taxRounding }: CorrectedInvoice): CreditableLine[] {
  const totals = computeTotals(
    lines.map(({ amountMinor, taxMinor, tax }) => ({
      amountMinor: arePricesInclusive ? amountMinor + taxMinor : amountMinor,
      tax,
    })),
    { arePricesInclusive, rounding: taxRounding },
  )
  return lines.map((line, index) => {
    const computed = totals.lines[index]
    const isSame = computed?.taxMinor === line.taxMinor && computed.netMinor === line.amountMinor
    const taxes = isSame ? computed.taxes : splitTax(line.tax, line.taxMinor)
    return { id: line.id, quantity: line.quantity, netMinor: line.amountMinor, taxes }
  })
}

function toCreditLine(line: CorrectedLine, credit: LineCredited, taxes: readonly LineTax[]): CreditLine {
  const isWhole = credit.taxMinor === -line.taxMinor
  return {
    lineId: line.id,
    quantity: credit.quantity,
    netMinor: credit.amountMinor,
    taxMinor: credit.taxMinor,
    grossMinor: credit.amountMinor + credit.taxMinor,
    taxes: isWhole
      ? taxes.map((tax) => ({ ...tax, taxMinor: 0 - tax.taxMinor }))
      : splitTax(line.tax, credit.taxMinor),
  }
}

/** All rates of a line share one base: its tax is split as they are. */
function splitTax({ rates }: TaxDecision, taxMinor: number): LineTax[] {
  if (rates.length === 0) return []
  const shares = spread(
    taxMinor,
    rates.map((rate) => new Big(rate.ratePercent)),
  )
  return rates.map((rate, index) => ({ ...rate, taxMinor: shares[index] ?? 0 }))
}

function toLineDraft({ line, credit }: Part, invoice: CorrectedInvoice): DocumentLineDraft {
  const isByAmount = credit.quantity === null && credit.netMinor !== -line.amountMinor
  const creditedMinor = 0 - sum(line.credits.map(({ amountMinor }) => amountMinor))
  return {
    kind: 'correction',
    subscriptionLineId: line.subscriptionLineId,
    oneOffChargeId: null,
    creditsLineId: line.id,
    description: line.description,
    billingType: line.billingType,
    // What takes an amount back takes no quantity of anything.
    quantity: isByAmount ? '1' : (credit.quantity ?? line.quantity),
    unit: isByAmount ? 'piece' : line.unit,
    unitPrice: isByAmount ? null : line.unitPrice,
    servicePeriod: line.servicePeriod,
    ratedMinor: invoice.arePricesInclusive ? credit.grossMinor : credit.netMinor,
    discountMinor: 0,
    amountMinor: credit.netMinor,
    taxCategory: line.tax.category,
    taxRatePercent: line.tax.rates
      .reduce((total, rate) => total.plus(rate.ratePercent), new Big(0))
      .toFixed(),
    taxMinor: credit.taxMinor,
    lateEventIds: [],
    explanation: {
      formula: formulaOf({ line, credit }, invoice.number),
      chargedMinor: line.amountMinor,
      ...(creditedMinor === 0 ? {} : { creditedMinor }),
      ...(credit.quantity === null ? {} : { creditedQuantity: credit.quantity }),
      ...(line.explainedTax === null ? {} : { tax: line.explainedTax }),
    },
  }
}

function formulaOf({ line, credit }: Part, number: string): string {
  if (credit.quantity !== null)
    return `-(amount charged on ${number}) × ${credit.quantity} / ${line.quantity}`
  if (credit.netMinor === -line.amountMinor) return `-(amount charged on ${number})`
  const isRest = line.credits.length > 0 && leftOf(line) === -credit.netMinor
  return isRest ? `-(what was left of the amount on ${number})` : `-(a part of the amount on ${number})`
}

function leftOf(line: CorrectedLine): number {
  return line.amountMinor + sum(line.credits.map(({ amountMinor }) => amountMinor))
}

function taxesOf({ line, credit }: Part): DocumentTax[] {
  const { category, note } = line.tax
  const of = { category, note, baseMinor: credit.netMinor }
  if (credit.taxes.length === 0) return [{ ...of, name: '', ratePercent: '0', taxMinor: 0 }]
  return credit.taxes.map((tax) => ({ ...of, ...tax }))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
