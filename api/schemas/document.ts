import { z } from '@hono/zod-openapi'
import type { BilledPeriodRow, DocumentRow } from '#db/read/document.ts'
import { encodeId } from '#domain/identifier.ts'
import { dateField, periodSchema, referenceSchema } from './common.ts'
import { subscriptionLineSchema } from './subscription.ts'

export const documentSchema = z
  .object({
    id: z.string(),
    customer: referenceSchema,
    interval: z.object({ count: z.number().int(), unit: z.string() }),
    currency: z.string(),
    time_zone: z.string(),
    billing_cycle_anchor: z.string(),
    next_invoice_on: z.string().openapi({ description: 'The first day of the next period.' }),
    due_on: z
      .string()
      .openapi({ description: 'The day on which its invoice is made, or its draft finalized.' }),
    lines: z.number().int().openapi({ description: 'Lines that the next invoice may bill.' }),
    test_clock: z.string().nullable(),
    parked_reason: z.string().nullable(),
    closed_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('SubscriptionDocument')

export function toDocumentJson(row: DocumentRow): z.input<typeof documentSchema> {
  return {
    id: encodeId('document', row.id),
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    interval: { count: row.interval_count, unit: row.interval_unit },
    currency: row.currency,
    time_zone: row.time_zone,
    billing_cycle_anchor: row.billing_cycle_anchor,
    next_invoice_on: row.next_invoice_on,
    due_on: row.due_on,
    lines: row.line_count,
    test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
    parked_reason: row.parked_reason,
    closed_at: row.closed_at,
    created_at: row.created_at,
  }
}

export const moveAnchorSchema = z
  .strictObject({
    first_full_period_on: dateField.openapi({
      description: 'The first day of the first full period. The next period is a bridge to it.',
    }),
  })
  .openapi('MoveAnchor')

export const forceNextInvoiceSchema = z
  .strictObject({
    next_invoice_on: dateField.openapi({
      description: 'The first day of a later period. Its invoice bills the days since the last one, too.',
    }),
  })
  .openapi('ForceNextInvoice')

const billedPeriodSchema = z
  .object({
    index: z.number().int(),
    period: periodSchema,
    invoice: z.object({ id: z.string(), number: z.string().nullable() }).nullable(),
    billed_at: z.string(),
  })
  .openapi('BilledPeriod')

export function toBilledPeriodJson(row: BilledPeriodRow): z.input<typeof billedPeriodSchema> {
  return {
    index: row.period_index,
    period: { start: row.starts_on, end: row.ends_on },
    invoice: row.invoice_id === null ? null : { id: encodeId('invoice', row.invoice_id), number: row.number },
    billed_at: row.billed_at,
  }
}

export const documentDetailSchema = documentSchema
  .omit({ lines: true })
  .extend({
    lines: z.array(subscriptionLineSchema.extend({ subscription: z.string() })),
    periods: z.array(billedPeriodSchema).openapi({ description: 'What was billed, newest first.' }),
  })
  .openapi('SubscriptionDocumentDetail')
