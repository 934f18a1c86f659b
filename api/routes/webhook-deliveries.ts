import { z } from '@hono/zod-openapi'
import { encodePosition, eventIdOf } from '#db/read/event-content.ts'
import { listDeliveries } from '#db/read/webhook.ts'
import { redeliver, testWebhook, type Redelivered } from '#db/webhook-delivery.ts'
import { fieldError } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPageBy } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { decodePosition } from '../schemas/event.ts'
import {
  deliverySchema,
  deliveryStateField,
  redeliveredSchema,
  redeliverySchema,
  toDeliveryJson,
  webhookTestSchema,
} from '../schemas/webhook.ts'

const path = '/v1/webhooks/{id}'
const tag = 'Webhooks'

/** What was posted to a webhook and what it answered, and having it posted once more. */
export function registerWebhookDeliveries(frame: Frame): void {
  registerLog(frame)
  frame.route(
    {
      method: 'post',
      path: `${path}/redeliver`,
      permission: 'webhooks:write',
      tag,
      summary: 'Have one event posted to a webhook again, or those of a time',
      description:
        'Of a time, those of the kinds that the webhook wants, whether they were delivered or not, and those from before there was the webhook too; at most 10,000 at once. Each keeps its id.',
      params: idParams,
      body: redeliverySchema,
      result: redeliveredSchema,
      refusals: ['action_not_allowed'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'webhook', params.id)
      return { count: await redeliver(tx, id, { asked: toAsked(body, now), actor: principal.name, now }) }
    },
  )
  frame.route(
    {
      method: 'post',
      path: `${path}/test`,
      permission: 'webhooks:write',
      tag,
      summary: 'Post a test event to a webhook',
      description: 'Of kind webhook.tested, whatever kinds the webhook wants; what it answers is in its log.',
      params: idParams,
      result: webhookTestSchema,
      status: 202,
    },
    async ({ transaction, params, principal }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'webhook', params.id)
      return { event: encodePosition(await testWebhook(tx, id, { actor: principal.name })) }
    },
  )
}

/** @throws `field_invalid` */
export function toAsked(body: z.output<typeof redeliverySchema>, now: string): Redelivered {
  const { event, from, until = now, given_up_only: isGivenUpOnly } = body
  if (event !== undefined && from === undefined) return { eventId: decodePosition(event, '/event').id }
  if (event === undefined && from !== undefined) return { from, until, isGivenUpOnly }
  throw fieldError('/event', 'field_invalid', 'Name one event, or from when on.')
}

function registerLog(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: `${path}/deliveries`,
      permission: 'webhooks:read',
      tag,
      summary: 'List what was posted to a webhook, with every answer',
      description: 'By their events, newest first; kept for thirty days.',
      params: idParams,
      query: z.strictObject({
        limit: pageQuery.limit,
        after: pageQuery.after,
        state: deliveryStateField.optional(),
        event: z.string().optional().openapi({ description: 'The id of an event.' }),
      }),
      result: pageOf(deliverySchema),
    },
    async ({ db, params, query }) => {
      const webhookId = await resolveAddress(db, 'webhook', params.id)
      const eventId = query.event === undefined ? null : decodePosition(query.event, '?event').id
      const before = query.after === undefined ? null : decodePosition(query.after, '?after').id
      const filter = { webhookId, eventId, state: query.state ?? null }
      const rows = await listDeliveries(db, filter, { before, limit: query.limit + 1 })
      const forward = { limit: query.limit, direction: 'after' } as const
      // The cursor of a list of deliveries is that of its last event.
      return toPageBy(rows, forward, { toJson: toDeliveryJson, toCursor: eventIdOf })
    },
  )
}
