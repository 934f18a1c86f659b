import { z } from '@hono/zod-openapi'
import type { PresentLine } from '#db/present-usage.ts'
import type { UsageWindowRow } from '#db/read/usage.ts'
import { encodeId } from '#domain/identifier.ts'
import { sayPresentUsage } from '#domain/invoice/present-usage.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import { moneySchema, periodSchema } from './common.ts'

const quantitySchema = z.object({
  start: z.string(),
  end: z.string(),
  quantity: z.string(),
  unit: z.string(),
  readings: z.number().int(),
  events: z.number().int(),
})

const presentSchema = z.object({
  period: periodSchema,
  quantity: z.string(),
  unit: z.string(),
  included: z.string().nullable().openapi({ description: 'Of the quantity, what costs nothing.' }),
  cost: moneySchema.openapi({ description: 'So far, before discounts and tax.' }),
  projected: z
    .object({ on: z.string(), quantity: z.string(), cost: moneySchema })
    .nullable()
    .openapi({ description: 'On the last day of the period, if as much goes on being used.' }),
  says: z.string().openapi({ example: '62 of 100 GiB. At this pace 118 GiB on 31 May: 18.00 USD.' }),
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
        present: presentSchema
          .nullable()
          .openapi({ description: 'Of the billing period that runs, days that were billed early included.' }),
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

export function toPresentJson(line: PresentLine, currency: string): z.input<typeof presentSchema> {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency })
  const { period, quantity, unit, includedQuantity, costMinor, projection } = line
  return {
    period,
    quantity,
    unit,
    included: includedQuantity,
    cost: money(costMinor),
    projected: projection && {
      on: projection.on,
      quantity: projection.quantity,
      cost: money(projection.costMinor),
    },
    says: sayPresentUsage(line, currency),
  }
}
