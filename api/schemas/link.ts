import { z } from '@hono/zod-openapi'
import type { LinkListRow } from '#db/read/link.ts'
import { encodeId } from '#domain/identifier.ts'
import { explainReason, linkReasons } from '#domain/link-plan.ts'

export const linkReasonSchema = z.enum(linkReasons).nullable().openapi({
  description:
    'Why this offer was taken: the order named it, it is of the same subscription or environment, an operator prefers it, or it is shared.',
})

export const linkSchema = z
  .object({
    id: z.string(),
    subscription: z.string().openapi({ description: 'Of the instance that wants it.' }),
    instance: z.string().openapi({ description: 'Which wants it.' }),
    instance_name: z.string(),
    name: z.string().openapi({ description: 'What its application calls it.' }),
    kind: z.string(),
    is_required: z.boolean(),
    state: z.enum(['waiting', 'planned', 'made', 'taken_back']),
    offer: z
      .object({ instance: z.string(), name: z.string() })
      .nullable()
      .openapi({ description: 'Whose offer it has; null while it waits for one.' }),
    reason: linkReasonSchema,
    explanation: z.string(),
    failure_detail: z.string().nullable().openapi({ description: 'Why it could not be made yet.' }),
    made_at: z.string().nullable(),
    taken_back_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Link')

export function toLinkJson(row: LinkListRow): z.input<typeof linkSchema> {
  const { offering_instance_id: offering, offering_name: name } = row
  return {
    id: encodeId('link', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    instance: encodeId('instance', row.wanting_instance_id),
    instance_name: row.wanting_name,
    name: row.name,
    kind: row.kind,
    is_required: row.is_required,
    state: row.state,
    offer: offering === null || name === null ? null : { instance: encodeId('instance', offering), name },
    reason: row.reason,
    explanation: explainLink(row),
    failure_detail: row.failure_detail,
    made_at: row.made_at,
    taken_back_at: row.taken_back_at,
    created_at: row.created_at,
  }
}

export function explainLink({ reason, kind }: Pick<LinkListRow, 'reason' | 'kind'>): string {
  return reason === null ? `waits for a ${kind}` : `taken: ${explainReason(reason)}`
}
