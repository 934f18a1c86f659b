import { z } from '@hono/zod-openapi'
import type { UsageWindowRow } from '#db/read/usage.ts'
import { encodeId } from '#domain/identifier.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import { refuseWith } from '../validation.ts'
import { addressField, codeField, instantField } from './common.ts'

const text = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'Visible ASCII characters only')

export const usageEventSchema = z
  .strictObject({
    source: text.openapi({ description: 'Who counted. Source and id together name the event for ever.' }),
    id: text,
    subscription: addressField,
    metric: codeField(60),
    quantity: z
      .union([z.string(), z.number()], {
        error: refuseWith('quantity_invalid', 'A quantity is a number from 0.'),
      })
      .transform(String)
      .refine((quantity) => /^\d{1,15}(\.\d{1,10})?$/.test(quantity), {
        error: refuseWith('quantity_invalid', 'A quantity is a number from 0.'),
      })
      .openapi({ example: '2.5' }),
    unit: z.string().max(40).optional().openapi({ description: 'Left out: the unit of what is sold.' }),
    occurred_at: instantField.optional().openapi({
      description: 'Left out: now. Send it wherever the event may be sent twice, so that both are the same.',
    }),
  })
  .openapi('UsageEvent')

export const newUsageSchema = z
  .strictObject({ events: z.array(usageEventSchema).min(1).max(500) })
  .openapi('NewUsage')

export const usageReceiptSchema = z
  .object({
    events: z.array(
      z.object({ source: z.string(), id: z.string(), result: z.enum(['stored', 'duplicate']) }),
    ),
  })
  .openapi('UsageReceipt')

const quantitySchema = z.object({
  start: z.string(),
  end: z.string(),
  quantity: z.string(),
  unit: z.string(),
  readings: z.number().int(),
  events: z.number().int(),
})

export const usageSchema = z
  .object({
    subscription: z.string(),
    lines: z.array(
      z.object({
        line: z.string(),
        product: z.string(),
        metric: z.string(),
        current: quantitySchema
          .nullable()
          .openapi({ description: 'Since the last billed window; not frozen yet.' }),
        windows: z
          .array(quantitySchema.extend({ id: z.string() }))
          .openapi({ description: 'Billed, newest first.' }),
      }),
    ),
  })
  .openapi('Usage')

export function toWindowJson(row: UsageWindowRow) {
  return {
    id: encodeId('usageWindow', row.id),
    start: row.starts_at,
    end: row.ends_at,
    quantity: row.quantity,
    unit: row.unit,
    readings: row.reading_count,
    events: row.event_count,
  }
}

export function toCurrentJson(window: { start: string; end: string }, measured: UsageQuantity) {
  return {
    ...window,
    quantity: measured.quantity,
    unit: measured.unit,
    readings: measured.readingCount,
    events: measured.eventCount,
  }
}
