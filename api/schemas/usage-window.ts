import { z } from '@hono/zod-openapi'
import type { OpenedWindow, WindowDay, WindowEvent, WindowReading } from '#db/read/usage-window.ts'
import { encodeId } from '#domain/identifier.ts'
import { dateField } from './common.ts'

export const usageWindowSchema = z
  .object({
    id: z.string(),
    subscription: z.string(),
    subscription_line: z.string(),
    instance: z.string().nullable(),
    invoice: z.string().openapi({ description: 'On which it is billed.' }),
    metric: z.string(),
    quantity: z.string(),
    unit: z.string(),
    start: z.string(),
    end: z.string(),
    late: z.boolean().openapi({ description: 'What came after the window of this time was billed.' }),
    pending: z.boolean().openapi({ description: 'It could not be read up to its end when it was billed.' }),
    first_read_at: z.string().nullable(),
    last_read_at: z.string().nullable(),
    readings: z.number().int().openapi({ description: 'As many as there were when it was billed.' }),
    events: z.number().int(),
    days: z
      .array(
        z.object({
          on: z.string(),
          readings: z.number().int(),
          events: z.number().int(),
          counted: z
            .string()
            .nullable()
            .openapi({ description: 'What a counter grew by; null for a gauge.' }),
        }),
      )
      .openapi({ description: 'Days of which anything is kept, by the time zone of the document.' }),
  })
  .openapi('UsageWindow')

export const dayQuery = z.strictObject({
  on: dateField.optional().openapi({
    description: 'A day of the window, by the time zone of the document; left out: all of them.',
  }),
})

export const windowReadingsSchema = z
  .object({
    data: z.array(
      z.object({
        series: z.string(),
        value: z.string(),
        unit: z.string(),
        read_at: z.string(),
        opening: z.boolean().openapi({ description: 'What was counted before it is nobody’s bill.' }),
        counted: z.string().nullable().openapi({
          description:
            'Grown since the reading before it of its series, in the unit of the window; null for a gauge.',
        }),
      }),
    ),
  })
  .openapi('UsageWindowReadings')

export const windowEventsSchema = z
  .object({
    data: z.array(
      z.object({
        source: z.string(),
        id: z.string(),
        quantity: z.string(),
        unit: z.string(),
        time: z.string(),
        received_at: z.string(),
      }),
    ),
  })
  .openapi('UsageWindowEvents')

export function toUsageWindowJson(
  row: OpenedWindow,
  days: readonly WindowDay[],
): z.input<typeof usageWindowSchema> {
  return {
    id: encodeId('usageWindow', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    subscription_line: encodeId('subscriptionLine', row.subscription_line_id),
    instance: row.instance_id === null ? null : encodeId('instance', row.instance_id),
    invoice: encodeId('invoice', row.invoice_id),
    metric: row.metric,
    quantity: row.quantity,
    unit: row.unit,
    start: row.starts_at,
    end: row.ends_at,
    late: row.is_late,
    pending: row.is_pending,
    first_read_at: row.first_read_at,
    last_read_at: row.last_read_at,
    readings: row.reading_count,
    events: row.event_count,
    days: days.map((day) => ({ ...day })),
  }
}

export function toWindowReadingJson({ is_opening: opening, ...row }: WindowReading) {
  return { ...row, opening }
}

export function toWindowEventJson(row: WindowEvent) {
  const { source, event_id: id, quantity, unit, occurred_at: time, received_at } = row
  return { source, id, quantity, unit, time, received_at }
}
