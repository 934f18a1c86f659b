import { z } from '@hono/zod-openapi'
import type { UsageWindowRow } from '#db/read/usage.ts'
import { encodeId } from '#domain/identifier.ts'
import type { UsageQuantity } from '#domain/usage.ts'

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
