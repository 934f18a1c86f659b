import { z } from '@hono/zod-openapi'
import type { InvoiceLineRow, InvoiceRow } from '#db/read/invoice.ts'
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
    test_clock: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Invoice')

const invoiceLineSchema = z
  .object({
    id: z.string(),
    position: z.number().int(),
    kind: z.enum(['one_time', 'recurring', 'usage', 'credit']),
    product: z.string(),
    description: z.string(),
    subscription: z.string(),
    subscription_line: z.string(),
    instance: z.string().nullable(),
    billing_type: z.string(),
    quantity: z.string(),
    unit: z.string(),
    unit_price: z.string(),
    service_period: periodSchema.nullable(),
    amount: moneySchema,
    readings: z.number().int().nullable().openapi({ description: 'Readings behind a usage line.' }),
    usage_events: z.number().int().nullable(),
    explanation: z.unknown().openapi({ description: 'How the amount came about.' }),
  })
  .openapi('InvoiceLine')

export const invoiceDetailSchema = invoiceSchema
  .extend({
    seller: z.record(z.string(), z.unknown()),
    buyer: z.record(z.string(), z.unknown()),
    lines: z.array(invoiceLineSchema),
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
    subscription: encodeId('subscription', row.subscription_id),
    subscription_line: encodeId('subscriptionLine', row.subscription_line_id),
    instance: row.instance_id === null ? null : encodeId('instance', row.instance_id),
    billing_type: row.billing_type,
    quantity: row.quantity,
    unit: row.unit,
    unit_price: row.unit_price,
    service_period:
      row.starts_on === null || row.ends_on === null ? null : { start: row.starts_on, end: row.ends_on },
    amount: { amount_minor: row.amount_minor, currency },
    readings: row.reading_count,
    usage_events: row.event_count,
    explanation: row.explanation,
  }
}
