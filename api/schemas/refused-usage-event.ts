import { z } from '@hono/zod-openapi'
import type { RefusedUsageEventRow } from '#db/read/refused-usage-event.ts'
import { encodeId } from '#domain/identifier.ts'
import { instantField } from './common.ts'

export const refusedUsageEventSchema = z
  .object({
    id: z.string(),
    sender: z.string().openapi({ description: 'The key that sent it.' }),
    source: z.string().nullable(),
    event_id: z.string().nullable(),
    code: z.string().openapi({ description: 'Why it counts nowhere, as it was said last.' }),
    detail: z.string(),
    pointer: z.string().nullable(),
    refusals: z.int(),
    first_refused_at: z.string(),
    refused_at: z.string(),
    can_be_sent_again: z.boolean().openapi({ description: 'It is kept whole.' }),
    content: z.string().openapi({ description: 'As it was sent, of at most 8,000 bytes.' }),
  })
  .openapi('RefusedUsageEvent')

/** Of a refusal, as it is said: another one finds nothing. */
export const refusalCodeField = z
  .string()
  .max(60)
  .regex(/^[a-z_]+$/, 'A code has lower case letters and underscores')

export const sendAgainSchema = z
  .strictObject({
    code: refusalCodeField.optional().openapi({ description: 'Only those that were refused as this.' }),
    tried_before: instantField.optional().openapi({
      description:
        'Only those that were tried last before this instant: what an answer said, to go on from it.',
    }),
  })
  .openapi('SendAgain')

export const sentAgainSchema = z
  .object({
    stored: z.int(),
    duplicates: z.int(),
    refused: z.int().openapi({ description: 'They stay in the list, with the newest reason.' }),
    has_more: z
      .boolean()
      .openapi({ description: 'A thousand are sent at once: ask again with tried_before for the next.' }),
    tried_before: z.string().openapi({
      description:
        'What was refused again is tried after it: each is sent once in a round, and the round ends.',
    }),
  })
  .openapi('SentAgain')

export function toRefusedUsageEventJson(row: RefusedUsageEventRow) {
  return {
    id: encodeId('refusedUsageEvent', row.id),
    sender: row.sender,
    source: row.source,
    event_id: row.event_id,
    code: row.code,
    detail: row.detail,
    pointer: row.pointer,
    refusals: row.refusals,
    first_refused_at: row.first_refused_at,
    refused_at: row.refused_at,
    can_be_sent_again: row.is_whole,
    content: row.content,
  }
}
