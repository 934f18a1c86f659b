import {
  getInvoice,
  listInvoiceLines,
  listInvoiceTaxes,
  readBalanceUsed,
  type InvoiceLineRow,
  type InvoiceRow,
  type InvoiceTaxRow,
} from '#db/read/invoice.ts'
import type { Db } from '#db/database.ts'
import type { StatedTax } from '#domain/invoice/stated-tax.ts'
import type { RatingStep } from '#domain/pricing/rated-price.ts'
import { instalmentsOf, leaveUnpaid } from '#domain/payment-terms.ts'
import type { InvoiceFacts, LineFacts, SellerCurrencyTax, TaxFacts, PricedPart } from './invoice-facts.ts'

/** A document with all that is printed of it. */
export interface InvoiceRows {
  readonly invoice: InvoiceRow
  readonly lines: readonly InvoiceLineRow[]
  readonly taxes: readonly InvoiceTaxRow[]
  readonly balanceUsedMinor: number
}

export async function readInvoiceRows(db: Db, id: string): Promise<InvoiceRows> {
  const [invoice, lines, taxes, balanceUsedMinor] = await Promise.all([
    getInvoice(db, id),
    listInvoiceLines(db, id),
    listInvoiceTaxes(db, id),
    readBalanceUsed(db, id),
  ])
  return { invoice, lines, taxes, balanceUsedMinor }
}

/** Only what is fixed when a document is finalized: payments and later credits are not printed, so the PDF can be made any day. */
export function fromInvoiceRows({ invoice, lines, taxes, balanceUsedMinor }: InvoiceRows): InvoiceFacts {
  const { seller, buyer } = invoice
  const dues = { dueOn: invoice.due_on, instalments: invoice.instalments }
  // A seller who keeps no rates says nothing of tax.
  const said = taxes.filter((tax) => tax.category !== 'out_of_scope' || tax.note !== null)
  return {
    kind: invoice.kind,
    number: invoice.number,
    testClock: invoice.test_clock_name,
    currency: invoice.currency,
    issuedOn: invoice.issued_on,
    seller: {
      name: seller.name,
      address: seller.address,
      country: seller.country ?? null,
      taxId: seller.taxId,
      registration: seller.registration ?? null,
      email: seller.email ?? null,
      bankAccount: seller.bankAccount ?? null,
    },
    buyer: {
      name: buyer.name,
      address: buyer.address,
      country: buyer.country ?? null,
      taxId: buyer.taxId ?? null,
      registration: null,
      email: buyer.email,
    },
    servedCustomer: invoice.served_name,
    purchaseOrder: invoice.purchase_order_reference,
    buyerReference: buyer.reference ?? null,
    correctedNumber: invoice.corrected_number,
    isTaxIncluded: invoice.are_prices_inclusive,
    lines: inSections(lines, seller.sections).map((line) => ({
      ...fromLineRow(line, said.length > 0),
      ...sectionOf(line, seller.sections),
    })),
    taxes: said.map(fromTaxRow),
    netMinor: invoice.net_minor,
    taxMinor: invoice.tax_minor,
    totalMinor: invoice.total_minor,
    prepaidUsedMinor: 0,
    balanceUsedMinor,
    dues:
      invoice.kind === 'credit_note'
        ? []
        : leaveUnpaid(instalmentsOf(dues, invoice.total_minor), balanceUsedMinor),
    taxInSellerCurrency: invoice.stated_tax && fromStatedTax(invoice.stated_tax),
    notes: buyer.note === undefined ? [] : [buyer.note],
  }
}

function fromStatedTax({ currency, taxMinor, rate }: StatedTax): SellerCurrencyTax {
  const { base, quote, source, validOn: date } = rate
  return { currency, taxMinor, base, quote, rate: rate.rate, source, date }
}

function fromLineRow(line: InvoiceLineRow, isTaxed: boolean): LineFacts {
  const { starts_on: start, ends_on: end } = line
  return {
    description: line.description,
    context: [line.subscription_title, line.instance_name].filter((text) => text !== null),
    isCredit: line.kind === 'credit' || line.kind === 'correction',
    isLate: line.kind === 'late_usage',
    ...(line.explanation.usage?.isPending ? { isPending: true } : {}),
    ...(line.explanation.notBilledQuantity === undefined
      ? {}
      : { notBilledQuantity: line.explanation.notBilledQuantity }),
    servicePeriod: start === null || end === null ? null : { start, end },
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: line.unit_price,
    parts: line.unit_price === null ? (line.explanation.steps ?? []).flatMap(toParts) : [],
    discountMinor: line.discount_minor,
    taxPercent: isTaxed && !line.is_text ? line.tax_rate_percent : null,
    amountMinor: line.amount_minor,
    ...(line.is_text ? { isText: true } : {}),
  }
}

/** Those of one purchase order together: subscriptions are in the order in which they were made. */
function inSections(lines: readonly InvoiceLineRow[], sections: Sections): InvoiceLineRow[] {
  if (sections !== 'purchase_order') return [...lines]
  return [...Map.groupBy(lines, (line) => line.purchase_order_reference).values()].flat()
}

type Sections = InvoiceRow['seller']['sections']

function sectionOf(line: InvoiceLineRow, sections: Sections): Partial<LineFacts> {
  if (sections === undefined) return {}
  if (sections === 'purchase_order')
    return { section: line.purchase_order_reference, isSectionOfPurchaseOrder: true }
  // The heading says the subscription, so the line need not.
  return {
    section: line.subscription_title,
    context: line.instance_name === null ? [] : [line.instance_name],
  }
}

/** Of the steps of a price those that a reader can multiply; the console's page explains the others. */
function toParts(step: RatingStep): PricedPart[] {
  if (step.kind === 'units' && step.perUnits === undefined)
    return [{ quantity: step.quantity, unitPrice: step.unitAmount }]
  if (step.kind === 'package') return [{ quantity: step.packages, unitPrice: step.packageAmount }]
  if (step.kind !== 'tier') return []
  const flat = step.flatAmount === '0' ? [] : [{ quantity: '1', unitPrice: step.flatAmount }]
  return step.unitAmount === undefined
    ? flat
    : [{ quantity: step.quantity, unitPrice: step.unitAmount }, ...flat]
}

function fromTaxRow(tax: InvoiceTaxRow): TaxFacts {
  return {
    category: tax.category,
    name: tax.name,
    percent: tax.rate_percent,
    baseMinor: tax.base_minor,
    taxMinor: tax.tax_minor,
    note: tax.note,
  }
}
