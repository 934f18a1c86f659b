import { z } from '@hono/zod-openapi'
import type { EventPosition } from '#db/read/event.ts'
import { fieldError } from '#domain/errors.ts'

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

/** @throws `field_invalid` */
export function decodePosition(text: string, pointer: string): EventPosition {
  const [, transactionId, id] = /^evt_(\d{1,19})-(\d{1,16})$/.exec(text) ?? []
  if (transactionId === undefined || id === undefined) {
    throw fieldError(pointer, 'field_invalid', `${text} is not an event’s id.`)
  }
  return { transactionId, id: Math.min(Number(id), Number.MAX_SAFE_INTEGER) }
}
