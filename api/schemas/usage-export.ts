import { z } from '@hono/zod-openapi'
import type { ExportedUse, ExportedWindow } from '#db/read/usage-export.ts'
import { encodeId } from '#domain/identifier.ts'
import { fromMinor } from '#domain/money.ts'
import type { CsvCell } from '../csv.ts'
import { addressField, dateField } from './common.ts'

export const exportQuery = z.strictObject({
  from: dateField.optional().openapi({ description: 'Of what is billed for days from this one on.' }),
  until: dateField.optional().openapi({ description: 'Only of what begins before this day.' }),
})

export const useQuery = exportQuery.extend({
  window: addressField.optional().openapi({ description: 'Of one usage window alone.' }),
})

export const windowColumns = [
  'window',
  'subscription_line',
  'product',
  'description',
  'metric',
  'first_on',
  'ends_on',
  'start',
  'end',
  'quantity',
  'unit',
  'billed_quantity',
  'amount',
  'currency',
  'late',
  'pending',
  'readings',
  'events',
  'invoice',
  'invoice_number',
] as const

/** Quantities and amounts are exact decimals, the amount before tax. */
export function toWindowCells(row: ExportedWindow): CsvCell[] {
  return [
    encodeId('usageWindow', row.id),
    encodeId('subscriptionLine', row.subscription_line_id),
    row.product_code,
    row.description,
    row.metric,
    row.first_on,
    row.ends_on,
    row.starts_at,
    row.ends_at,
    row.quantity,
    row.unit,
    row.billed_quantity,
    fromMinor(row.amount_minor, row.currency).toFixed(),
    row.currency,
    row.is_late,
    row.is_pending,
    row.reading_count,
    row.event_count,
    encodeId('invoice', row.invoice_id),
    row.invoice_number,
  ]
}

export const useColumns = [
  'window',
  'metric',
  'kind',
  'at',
  'of',
  'event',
  'value',
  'unit',
  'counted',
  'counted_unit',
  'window_quantity',
  'window_quantity_is',
] as const

export function toUseCells({ window, kind, at, of, eventId, value, unit, counted }: ExportedUse): CsvCell[] {
  const id = encodeId('usageWindow', window.id)
  const countedUnit = counted === null ? null : window.unit
  const { metric, quantity, quantity_is: quantityIs } = window
  return [id, metric, kind, at, of, eventId, value, unit, counted, countedUnit, quantity, quantityIs]
}
