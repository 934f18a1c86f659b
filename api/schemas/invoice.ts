import { z } from '@hono/zod-openapi'
import type { InvoiceLineRow, InvoiceRow, InvoiceTaxRow } from '#db/read/invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { moneySchema, periodSchema, referenceSchema } from './common.ts'

export const invoiceSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['invoice', 'credit_note']),
    number: z.string().nullable(),
    customer: referenceSchema,
    document: z.string().nullable(),
    net: moneySchema,
    tax: moneySchema,
    total: moneySchema,
    issued_on: z.string(),
    due_on: z.string(),
    finalized_at: z.string().nullable(),
    purchase_order_reference: z.string().nullable(),
    corrects: z.string().nullable().openapi({ description: 'The invoice that a credit note corrects.' }),
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
    explanation: z.unknown().openapi({ description: 'How the amount came about.' }),
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

export const invoiceDetailSchema = invoiceSchema
  .extend({
    seller: z.record(z.string(), z.unknown()),
    buyer: z.record(z.string(), z.unknown()),
    lines: z.array(invoiceLineSchema),
    taxes: z.array(invoiceTaxSchema),
    balance_used: moneySchema,
  })
  .openapi('InvoiceDetail')

export function toInvoiceJson(row: InvoiceRow): z.input<typeof invoiceSchema> {
  const { currency } = row
  return {
    id: encodeId('invoice', row.id),
    kind: row.kind,
    number: row.number,
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    document: row.document_id === null ? null : encodeId('document', row.document_id),
    net: { amount_minor: row.net_minor, currency },
    tax: { amount_minor: row.tax_minor, currency },
    total: { amount_minor: row.total_minor, currency },
    issued_on: row.issued_on,
    due_on: row.due_on,
    finalized_at: row.finalized_at,
    purchase_order_reference: row.purchase_order_reference,
    corrects: row.corrects_id === null ? null : encodeId('invoice', row.corrects_id),
    test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
    created_at: row.created_at,
  }
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
    readings: row.reading_count,
    usage_events: row.event_count,
    explanation: row.explanation,
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
