import { z } from '@hono/zod-openapi'
import type { EventPosition, EventRow } from '#db/read/event.ts'
import { fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'

export const eventSchema = z
  .object({
    id: z
      .string()
      .openapi({ description: 'Its place in the order of events; a cursor, and the id of a stream.' }),
    kind: z.string(),
    customer: z.string().nullable(),
    subscription: z.string().nullable(),
    build: z.string().nullable(),
    invoice: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    business_at: z.string().nullable().openapi({ description: 'Its instant on a test clock.' }),
    occurred_at: z.string(),
  })
  .openapi('Event')

export function toEventJson(row: EventRow): z.input<typeof eventSchema> {
  return {
    id: encodePosition({ transactionId: row.transaction_id, id: row.id }),
    kind: row.kind,
    customer: row.customer_id === null ? null : encodeId('customer', row.customer_id),
    subscription: row.subscription_id === null ? null : encodeId('subscription', row.subscription_id),
    build: row.build_order_id === null ? null : encodeId('buildOrder', row.build_order_id),
    invoice: row.invoice_id === null ? null : encodeId('invoice', row.invoice_id),
    data: row.data,
    business_at: row.business_at,
    occurred_at: row.occurred_at,
  }
}

export function encodePosition(position: EventPosition): string {
  return `evt_${position.transactionId}-${position.id}`
}

/** @throws `field_invalid` */
export function decodePosition(text: string, pointer: string): EventPosition {
  const [, transactionId, id] = /^evt_(\d{1,19})-(\d{1,16})$/.exec(text) ?? []
  if (transactionId === undefined || id === undefined) {
    throw fieldError(pointer, 'field_invalid', `${text} is not an event’s id.`)
  }
  return { transactionId, id: Math.min(Number(id), Number.MAX_SAFE_INTEGER) }
}
