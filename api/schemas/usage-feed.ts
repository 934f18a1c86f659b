import { z } from '@hono/zod-openapi'
import type { FedUsage, FeedPlace } from '#db/read/usage-feed.ts'
import { fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { isStorable } from '#domain/storable-text.ts'
import { addressField } from './common.ts'
import { usageEventSchema } from './usage-event.ts'

export const feedQuery = z.strictObject({
  customer: addressField.openapi({ description: 'Whose subscriptions that are billed elsewhere.' }),
  after: z
    .string()
    .max(1_000)
    .optional()
    .openapi({ description: 'next or resume of an answer before. Left out: from the beginning.' }),
  limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
})

export const usageFeedSchema = z
  .object({
    data: z.array(
      usageEventSchema.extend({
        subscriptionexternalid: z.string().optional().openapi({
          description: 'By which whoever bills it knows the subscription.',
        }),
      }),
    ),
    next: z.string().nullable().openapi({ description: 'Where the next page begins; null: this was all.' }),
    resume: z.string().openapi({
      description:
        'Where to go on later, once next is null. Some of it comes again, so that nothing is missed that was recorded late: source and id of an event are the same for ever.',
    }),
  })
  .openapi('UsageFeed')

/** @throws `field_invalid` */
export function toFeedPlace(after: string | undefined): FeedPlace {
  if (after === undefined) return { at: new Date(0).toISOString(), name: '' }
  const [at = '', ...names] = after.split('|')
  const name = names.join('|')
  if (isInstantSince1970(at) && isStorable(name)) return { at, name }
  throw fieldError('?after', 'field_invalid', 'It is next or resume of an answer before.')
}

/** The 30th of February is none, whatever `Date` makes of it. */
function isInstantSince1970(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text)) return false
  try {
    return Temporal.Instant.from(text).epochMilliseconds >= 0
  } catch {
    return false
  }
}

export function toFeedMark({ at, name }: FeedPlace): string {
  return `${at}|${name}`
}

/** As it can be sent on: whoever bills it takes it as his own usage event. */
export function toFedEventJson(used: FedUsage): z.input<typeof usageFeedSchema>['data'][number] {
  const { instance_id: instanceId, source } = used
  return {
    specversion: '1.0',
    id: used.event_id,
    source: source ?? encodeId('instance', instanceId ?? ''),
    type: used.metric,
    subject: encodeId('subscription', used.subscription_id),
    ...(used.started_at === null ? { time: toInstant(used.occurred_at) } : {}),
    ...(used.external_id === null ? {} : { subscriptionexternalid: used.external_id }),
    data: {
      quantity: used.quantity,
      unit: used.unit,
      ...(used.properties === null ? {} : { properties: used.properties }),
      ...(used.started_at === null
        ? {}
        : { start: toInstant(used.started_at), end: toInstant(used.occurred_at) }),
      ...(used.reverses === null ? {} : { reverses: used.reverses }),
    },
  }
}

function toInstant(at: string): string {
  return new Date(at).toISOString()
}
