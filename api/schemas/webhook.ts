import { z } from '@hono/zod-openapi'
import { toEventJson } from '#db/read/event-content.ts'
import type { DeliveryRow, WebhookRow } from '#db/read/webhook.ts'
import { encodeId } from '#domain/identifier.ts'
import { eventSchema } from './event.ts'
import { instantField, textField } from './common.ts'

export const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string().openapi({ example: 'https://hooks.example.com/clouder' }),
    description: z.string(),
    kinds: z
      .array(z.string())
      .nullable()
      .openapi({ description: 'Kinds of events that are posted; null: all.' }),
    state: z.enum(['enabled', 'disabled']),
    disabled_reason: z.string().nullable(),
    failing_since: z
      .string()
      .nullable()
      .openapi({ description: 'Since its first failure after the last event that was delivered.' }),
    waiting: z.number().int().openapi({ description: 'Deliveries that wait, those that failed among them.' }),
    last_delivered_at: z.string().nullable(),
    old_secret_expires_at: z
      .string()
      .nullable()
      .openapi({ description: 'Until then the secret before signs as well.' }),
    created_at: z.string(),
    created_by: z.string(),
  })
  .openapi('Webhook')

export const webhookWithSecretSchema = webhookSchema
  .extend({
    secret: z.string().openapi({
      description:
        'By which messages are signed, as the Standard Webhooks have it. Shown in this answer only.',
      example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    }),
  })
  .openapi('WebhookWithSecret')

const urlField = z.string().trim().min(1).max(2_048)
const kindsField = z
  .array(z.string().max(100))
  .min(1)
  .max(100)
  .nullable()
  .openapi({ description: 'Such as invoice.finalized; limit.* for all of limits; null for all.' })

export const newWebhookSchema = z
  .strictObject({
    url: urlField.openapi({ description: 'By https; http on the loopback of a machine only.' }),
    kinds: kindsField.default(null),
    description: textField(200).default(''),
  })
  .openapi('NewWebhook')

export const webhookChangeSchema = z
  .strictObject({
    url: urlField.optional(),
    kinds: kindsField.optional(),
    description: textField(200).optional(),
  })
  .openapi('WebhookChange')

export const deliveryStateField = z.enum(['waiting', 'delivered', 'given_up'])

export const deliverySchema = z
  .object({
    event: eventSchema,
    state: deliveryStateField,
    failures: z.number().int(),
    queued_at: z.string(),
    next_attempt_at: z.string().nullable(),
    settled_at: z.string().nullable(),
    attempts: z
      .array(
        z.object({
          at: z.string(),
          duration_ms: z.number().int(),
          status: z.number().int().nullable().openapi({ description: 'Of the answer; null for none.' }),
          failure: z.string().nullable(),
          answer: z.string().nullable().openapi({ description: 'What it begins with.' }),
        }),
      )
      .openapi({ description: 'Newest first; of many the last twenty.' }),
  })
  .openapi('WebhookDelivery')

export const redeliverySchema = z
  .strictObject({
    event: z.string().max(100).optional().openapi({ description: 'The id of one event.' }),
    from: instantField.optional().openapi({ description: 'Else those that happened from here on …' }),
    until: instantField
      .optional()
      .openapi({ description: '… until here, which is not meant; left out, now.' }),
    given_up_only: z.boolean().default(false).openapi({ description: 'Of them those that were given up.' }),
  })
  .openapi('WebhookRedelivery')

export const redeliveredSchema = z
  .object({ count: z.number().int().openapi({ description: 'Events that are posted now.' }) })
  .openapi('WebhookRedelivered')

export const webhookTestSchema = z
  .object({ event: z.string().openapi({ description: 'The id of the event that is posted.' }) })
  .openapi('WebhookTest')

export function toWebhookJson(row: WebhookRow): z.input<typeof webhookSchema> {
  return {
    id: encodeId('webhook', row.id),
    url: row.url,
    description: row.description,
    kinds: row.kinds,
    state: row.state === 'enabled' ? 'enabled' : 'disabled',
    disabled_reason: row.disabled_reason,
    failing_since: row.failing_since,
    waiting: row.waiting,
    last_delivered_at: row.last_delivered_at,
    old_secret_expires_at: row.old_secret_expires_at,
    created_at: row.created_at,
    created_by: row.created_by,
  }
}

export function toDeliveryJson(row: DeliveryRow): z.input<typeof deliverySchema> {
  return {
    event: toEventJson(row),
    state: row.state,
    failures: row.failures,
    queued_at: row.queued_at,
    next_attempt_at: row.state === 'waiting' ? row.due_at : null,
    settled_at: row.settled_at,
    attempts: row.attempts,
  }
}
