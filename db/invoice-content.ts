import type { DocumentContent } from '#domain/invoice/hash.ts'
import type { InvoiceLineExplanation } from '#domain/invoice/explanation.ts'
import type { StatedTax } from '#domain/invoice/stated-tax.ts'
import type { Instalment } from '#domain/payment-terms.ts'
import type { Seller } from './tables/installation.ts'
import type { Buyer } from './tables/invoice.ts'

export interface ContentInvoice {
  readonly number: string
  readonly kind: string
  readonly customer_id: string
  readonly served_customer_id: string | null
  readonly currency: string
  readonly issued_on: string
  readonly due_on: string
  readonly instalments: readonly Instalment[] | null
  readonly net_minor: number
  readonly tax_minor: number
  readonly total_minor: number
  readonly seller: Seller
  readonly buyer: Buyer
  readonly revision: number
  readonly reissue_of_id: string | null
  readonly corrects_id: string | null
  readonly are_prices_inclusive: boolean
  readonly tax_rounding: string
  readonly purchase_order_reference: string | null
  readonly stated_tax: StatedTax | null
}

export interface ContentLine {
  readonly kind: string
  readonly subscription_line_id: string | null
  readonly subscription_id: string | null
  readonly product_id: string | null
  readonly instance_id: string | null
  readonly usage_window_id: string | null
  readonly description: string
  readonly quantity: string
  readonly unit: string
  readonly unit_price: string | null
  readonly service_period: string | null
  readonly rated_minor: number
  readonly discount_minor: number
  readonly amount_minor: number
  readonly tax_category: string
  readonly tax_rate_percent: string
  readonly tax_minor: number
  readonly credits_line_id: string | null
  readonly is_text: boolean
  readonly explanation: InvoiceLineExplanation
}

export interface ContentTax {
  readonly category: string
  readonly name: string
  readonly rate_percent: string
  readonly base_minor: number
  readonly tax_minor: number
  readonly note: string | null
}

/**
 * What of a document is chained by hash: all that it says. Made from what is written when it is finalized, and from what
 * stands in the database when the chain is checked, so every value is taken as both have it.
 * @param lines, taxes in the order of their positions
 */
export function contentOf(
  invoice: ContentInvoice,
  lines: readonly ContentLine[],
  taxes: readonly ContentTax[],
): DocumentContent {
  return {
    number: invoice.number,
    kind: invoice.kind,
    customer: invoice.customer_id,
    ...(invoice.served_customer_id === null ? {} : { servedCustomer: invoice.served_customer_id }),
    currency: invoice.currency,
    issuedOn: invoice.issued_on,
    dueOn: invoice.due_on,
    instalments: invoice.instalments?.map(({ dueOn, amountMinor }) => ({ dueOn, amountMinor })),
    netMinor: invoice.net_minor,
    taxMinor: invoice.tax_minor,
    totalMinor: invoice.total_minor,
    seller: { ...invoice.seller },
    buyer: { ...invoice.buyer },
    revision: invoice.revision,
    reissueOf: invoice.reissue_of_id,
    corrects: invoice.corrects_id,
    arePricesInclusive: invoice.are_prices_inclusive,
    taxRounding: invoice.tax_rounding,
    purchaseOrderReference: invoice.purchase_order_reference,
    ...(invoice.stated_tax === null ? {} : { statedTax: statedContent(invoice.stated_tax) }),
    lines: lines.map(lineContent),
    taxes: taxes.map((tax) => ({
      category: tax.category,
      name: tax.name,
      ratePercent: tax.rate_percent,
      baseMinor: tax.base_minor,
      taxMinor: tax.tax_minor,
      note: tax.note,
    })),
  }
}

function statedContent({ currency, taxMinor, rate }: StatedTax): DocumentContent {
  return { currency, taxMinor, rate: { ...rate } }
}

function lineContent(line: ContentLine): DocumentContent {
  return {
    kind: line.kind,
    subscriptionLine: line.subscription_line_id,
    subscription: line.subscription_id,
    product: line.product_id,
    instance: line.instance_id,
    usageWindow: line.usage_window_id,
    description: line.description,
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: line.unit_price,
    servicePeriod: line.service_period,
    ratedMinor: line.rated_minor,
    discountMinor: line.discount_minor,
    amountMinor: line.amount_minor,
    taxCategory: line.tax_category,
    taxRatePercent: line.tax_rate_percent,
    taxMinor: line.tax_minor,
    credits: line.credits_line_id,
    // Said where it is so: what was chained before there were texts keeps its hash.
    ...(line.is_text ? { isText: true } : {}),
    explanation: line.explanation as unknown as DocumentContent,
  }
}
