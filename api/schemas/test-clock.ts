import { z } from '@hono/zod-openapi'
import type { TestClockRow } from '#db/read/test-clock.ts'
import { encodeId } from '#domain/identifier.ts'
import { instantField, nameField } from './common.ts'

export const newTestClockSchema = z
  .strictObject({ name: nameField, now: instantField })
  .openapi('NewTestClock')

export const advanceSchema = z
  .strictObject({
    by: z.string().optional().openapi({ description: 'A number and h, d, w, mo or y.', example: '1mo' }),
    to: instantField.optional(),
  })
  .refine((body) => (body.by === undefined) !== (body.to === undefined), { error: 'Send either by or to' })
  .openapi('Advance')

export const testClockSchema = z
  .object({
    id: z.string(),
    number: z.number().int(),
    name: z.string(),
    now: z.string(),
    target: z.string().nullable().openapi({ description: 'Where it is going, or went last.' }),
    is_advancing: z.boolean(),
    subscriptions: z.number().int(),
    drafts: z
      .number()
      .int()
      .openapi({ description: 'Invoices on it that are drafts still: each is finalized on its day.' }),
    created_at: z.string(),
  })
  .openapi('TestClock')

export function toTestClockJson(row: TestClockRow): z.input<typeof testClockSchema> {
  return {
    id: encodeId('testClock', row.id),
    number: row.number,
    name: row.name,
    now: row.now_at,
    target: row.target_at,
    is_advancing: row.target_at !== null,
    subscriptions: row.subscription_count,
    drafts: row.draft_count,
    created_at: row.created_at,
  }
}
