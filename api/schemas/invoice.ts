import { z } from '@hono/zod-openapi'
import type {
  AllocationRow,
  CreditNoteRow,
  InvoiceLineRow,
  InvoiceMarkRow,
  InvoiceRow,
  InvoiceTaxRow,
} from '#db/read/invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { moneyState, moneyStates, openMinor, type InvoiceMoney } from '#domain/invoice/balance.ts'
import type { StatedTax } from '#domain/invoice/stated-tax.ts'
import { instalmentsOf } from '#domain/payment-terms.ts'
import { moneySchema, periodSchema, referenceSchema } from './common.ts'
import { explanationSchema, toExplanationJson } from './explanation.ts'

export const invoiceSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['invoice', 'credit_note']),
    number: z.string().nullable(),
    customer: referenceSchema.openapi({ description: 'Who pays.' }),
    served_customer: referenceSchema
      .nullable()
      .openapi({ description: 'For whom it is, where another one pays.' }),
    document: z.string().nullable(),
    net: moneySchema,
    tax: moneySchema,
    total: moneySchema,
    status: z.enum(['draft', 'finalized']).openapi({ description: 'What is finalized never changes.' }),
    finalize_on: z.string().nullable().openapi({ description: 'When a draft is finalized by itself.' }),
    money_state: z.enum(moneyStates).nullable().openapi({ description: 'Null for drafts and credit notes.' }),
    open: moneySchema.openapi({ description: 'What is left to pay.' }),
    is_disputed: z.boolean().openapi({
      description: 'A customer that is an installation says that it is wrong, and has no answer yet.',
    }),
    issued_on: z.string(),
    due_on: z.string().openapi({ description: 'The last day, where it is due in instalments.' }),
    dues: z
      .array(z.object({ due_on: z.string(), amount: moneySchema }))
      .openapi({ description: 'What of the total is due when, earliest first; nothing of a credit note.' }),
    finalized_at: z.string().nullable(),
    purchase_order_reference: z.string().nullable(),
    corrects: z.string().nullable().openapi({
      description:
        'The invoice that it corrects: of a credit note, or of an invoice that annuls the credits of a voided one.',
    }),
    reissue_of: z
      .string()
      .nullable()
      .openapi({ description: 'The voided invoice of which this one is the next revision.' }),
    revision: z.number().int(),
    test_clock: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Invoice')

const invoiceLineSchema = z
  .object({
    id: z.string(),
    position: z.number().int(),
    kind: z.enum([
      'one_time',
      'recurring',
      'usage',
      'credit',
      'late_usage',
      'true_up',
      'one_off',
      'correction',
    ]),
    product: z.string().nullable(),
    description: z.string(),
    subscription: z.string().nullable(),
    subscription_line: z.string().nullable(),
    instance: z.string().nullable(),
    billing_type: z.string(),
    quantity: z.string(),
    unit: z.string(),
    unit_price: z.string().nullable().openapi({ description: 'Null where the price has no single one.' }),
    service_period: periodSchema.nullable(),
    discount: moneySchema.openapi({ description: 'What was taken off, as a positive amount.' }),
    amount: moneySchema.openapi({ description: 'Net of discounts and tax.' }),
    tax_category: z.string(),
    tax_rate_percent: z.string(),
    tax: moneySchema,
    readings: z.number().int().nullable().openapi({ description: 'Readings behind a usage line.' }),
    usage_events: z.number().int().nullable(),
    usage_window: z.string().nullable().openapi({ description: 'Opens into days and readings.' }),
    text: z.boolean().openapi({ description: 'Its description stands alone: it charges nothing.' }),
    explanation: explanationSchema.openapi({
      description: 'How the amount came about: enough to compute it anew.',
    }),
  })
  .openapi('InvoiceLine')

const invoiceTaxSchema = z
  .object({
    category: z.string(),
    name: z.string(),
    rate_percent: z.string(),
    base: moneySchema.openapi({ description: 'With the sign of the lines: below zero on a credit note.' }),
    tax: moneySchema,
    note: z
      .string()
      .nullable()
      .openapi({ description: 'Why there is no tax, in the words the law asks for.' }),
  })
  .openapi('InvoiceTax')

const statedTaxSchema = z
  .object({
    tax: moneySchema,
    base: z.string(),
    quote: z.string(),
    rate: z.string().openapi({ description: '1 of the base is so many of the quote.' }),
    source: z.string(),
    valid_on: z.string(),
  })
  .openapi('StatedTax')

const allocationSchema = z
  .object({
    kind: z.enum(['balance', 'credit_note', 'payment']),
    amount: moneySchema,
    credit_note: z.string().nullable(),
    reference: z.string().nullable(),
    allocated_at: z.string(),
  })
  .openapi('Allocation')

const markSchema = z
  .object({
    kind: z.enum(['void', 'uncollectible']),
    reason: z.string(),
    actor: z.string(),
    marked_at: z.string(),
    ended_at: z.string().nullable(),
  })
  .openapi('InvoiceMark')

export const invoiceDetailSchema = invoiceSchema
  .extend({
    seller: z.record(z.string(), z.unknown()),
    buyer: z.record(z.string(), z.unknown()),
    lines: z.array(invoiceLineSchema),
    taxes: z.array(invoiceTaxSchema),
    tax_in_seller_currency: statedTaxSchema.nullable().openapi({
      description: 'Where the currency is another one than the seller’s, and the seller is set to state it.',
    }),
    balance_used: moneySchema,
    allocations: z.array(allocationSchema).openapi({ description: 'What was set against it, oldest first.' }),
    credit_notes: z.array(
      z.object({ id: z.string(), number: z.string().nullable(), total: moneySchema, issued_on: z.string() }),
    ),
    marks: z.array(markSchema),
  })
  .openapi('InvoiceDetail')

export function toInvoiceJson(row: InvoiceRow): z.input<typeof invoiceSchema> {
  const { currency } = row
  return {
    id: encodeId('invoice', row.id),
    kind: row.kind,
    number: row.number,
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    served_customer:
      row.served_customer_id === null
        ? null
        : {
            id: encodeId('customer', row.served_customer_id),
            code: row.served_code ?? '',
            name: row.served_name ?? '',
          },
    document: row.document_id === null ? null : encodeId('document', row.document_id),
    net: { amount_minor: row.net_minor, currency },
    tax: { amount_minor: row.tax_minor, currency },
    total: { amount_minor: row.total_minor, currency },
    status: row.finalized_at === null ? 'draft' : 'finalized',
    finalize_on: row.finalized_at === null ? row.finalize_on : null,
    money_state: moneyStateOf(row),
    open: { amount_minor: openMinorOf(row), currency },
    is_disputed: row.has_open_dispute,
    issued_on: row.issued_on,
    due_on: row.due_on,
    dues: duesOf(row),
    finalized_at: row.finalized_at,
    purchase_order_reference: row.purchase_order_reference,
    corrects: row.corrects_id === null ? null : encodeId('invoice', row.corrects_id),
    reissue_of: row.reissue_of_id === null ? null : encodeId('invoice', row.reissue_of_id),
    revision: row.revision,
    test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
    created_at: row.created_at,
  }
}

/** Only an invoice that is finalized is paid. */
export function moneyStateOf(row: InvoiceRow) {
  return isPayable(row) ? moneyState(toMoney(row), row.today) : null
}

export function openMinorOf(row: InvoiceRow): number {
  return isPayable(row) && !row.is_void ? openMinor(toMoney(row)) : 0
}

function duesOf(row: InvoiceRow) {
  if (row.kind === 'credit_note') return []
  return instalmentsOf(toMoney(row), row.total_minor).map(({ dueOn, amountMinor }) => ({
    due_on: dueOn,
    amount: { amount_minor: amountMinor, currency: row.currency },
  }))
}

function isPayable(row: InvoiceRow): boolean {
  return row.kind === 'invoice' && row.finalized_at !== null
}

function toMoney(row: InvoiceRow): InvoiceMoney {
  return {
    totalMinor: row.total_minor,
    dueOn: row.due_on,
    instalments: row.instalments,
    creditNotesMinor: row.credited_minor,
    paidMinor: row.paid_minor,
    isVoid: row.is_void,
    isUncollectible: row.is_uncollectible,
  }
}

export function toStatedTaxJson(stated: StatedTax): z.input<typeof statedTaxSchema> {
  const { base, quote, rate, source, validOn } = stated.rate
  const tax = { amount_minor: stated.taxMinor, currency: stated.currency }
  return { tax, base, quote, rate, source, valid_on: validOn }
}

export function toAllocationJson(row: AllocationRow, currency: string): z.input<typeof allocationSchema> {
  return {
    kind: row.kind,
    amount: { amount_minor: row.amount_minor, currency },
    credit_note: row.credit_note_id === null ? null : encodeId('invoice', row.credit_note_id),
    reference: row.reference,
    allocated_at: row.allocated_at,
  }
}

export function toCreditNoteJson(row: CreditNoteRow, currency: string) {
  return {
    id: encodeId('invoice', row.id),
    number: row.number,
    total: { amount_minor: row.total_minor, currency },
    issued_on: row.issued_on,
  }
}

export function toMarkJson(row: InvoiceMarkRow): z.input<typeof markSchema> {
  return { ...row }
}

export function toInvoiceLineJson(row: InvoiceLineRow, currency: string): z.input<typeof invoiceLineSchema> {
  return {
    id: encodeId('invoiceLine', row.id),
    position: row.position,
    kind: row.kind,
    product: row.product_code,
    description: row.description,
    subscription: row.subscription_id === null ? null : encodeId('subscription', row.subscription_id),
    subscription_line:
      row.subscription_line_id === null ? null : encodeId('subscriptionLine', row.subscription_line_id),
    instance: row.instance_id === null ? null : encodeId('instance', row.instance_id),
    billing_type: row.billing_type,
    quantity: row.quantity,
    unit: row.unit,
    unit_price: row.unit_price,
    service_period:
      row.starts_on === null || row.ends_on === null ? null : { start: row.starts_on, end: row.ends_on },
    discount: { amount_minor: row.discount_minor, currency },
    amount: { amount_minor: row.amount_minor, currency },
    tax_category: row.tax_category,
    tax_rate_percent: row.tax_rate_percent,
    tax: { amount_minor: row.tax_minor, currency },
    usage_window: row.usage_window_id === null ? null : encodeId('usageWindow', row.usage_window_id),
    readings: row.reading_count,
    usage_events: row.event_count,
    text: row.is_text,
    explanation: toExplanationJson(row.explanation),
  }
}

export function toInvoiceTaxJson(row: InvoiceTaxRow, currency: string): z.input<typeof invoiceTaxSchema> {
  return {
    category: row.category,
    name: row.name,
    rate_percent: row.rate_percent,
    base: { amount_minor: row.base_minor, currency },
    tax: { amount_minor: row.tax_minor, currency },
    note: row.note,
  }
}
