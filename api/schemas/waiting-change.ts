import { z } from '@hono/zod-openapi'
import type { WaitingChange } from '#db/read/waiting-change.ts'
import { encodeId } from '#domain/identifier.ts'

export const waitingChangeSchema = z
  .object({
    id: z.string(),
    line: z
      .string()
      .openapi({ description: 'The first line of its life: the one that is in force changes.' }),
    product: z.string(),
    from: z.string(),
    to: z.string(),
    instance: z.string(),
    limit: z.string(),
    ceiling: z.string().openapi({ description: 'It is made once no more is used.' }),
    used: z.string().nullable().openapi({ description: 'As it was measured last.' }),
    told_on: z.string().openapi({
      description: 'If it does not fit by then, operators are told, and it waits for another period.',
    }),
    asked_by: z.string(),
    asked_at: z.string(),
  })
  .openapi('WaitingChange')

export function toWaitingChangeJson(row: WaitingChange): z.input<typeof waitingChangeSchema> {
  return {
    id: encodeId('waitingChange', row.id),
    line: encodeId('subscriptionLine', row.first_line_id),
    product: row.product,
    from: row.from_text,
    to: row.to_text,
    instance: encodeId('instance', row.instance_id),
    limit: row.limit_code,
    ceiling: row.ceiling,
    used: row.used_quantity,
    told_on: row.told_on,
    asked_by: row.asked_by,
    asked_at: row.asked_at,
  }
}
