import { z } from '@hono/zod-openapi'
import { setPreferredOffer } from '#db/preferred-offer.ts'
import { listLinks } from '#db/read/link.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { linkSchema, toLinkJson } from '../schemas/link.ts'
import { findSubscriptionFilter } from './builds.ts'

const preferenceSchema = z.strictObject({
  kind: z.string().min(1).max(40).openapi({ description: 'Of what it offers, such as database.' }),
  is_preferred: z.boolean().default(true),
})

/** What instances are linked to, and which offers an operator prefers. */
export function registerLinks(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/links',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'List what instances are linked to, and what they wait for',
      query: z.strictObject({ ...pageQuery, subscription: addressField.optional() }),
      result: pageOf(linkSchema),
      refusals: ['subscription_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      return toPage(await listLinks(db, { ...page, subscriptionId }), page, toLinkJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/preferred-offer',
      permission: 'instances:write',
      tag: 'Servers',
      summary: 'Prefer what an instance offers, for all on its server that have nothing nearer',
      params: idParams,
      body: preferenceSchema,
      result: z
        .object({ instance: z.string(), kind: z.string(), is_preferred: z.boolean() })
        .openapi('PreferredOffer'),
      refusals: ['link_missing'],
    },
    async ({ db, transaction, params, body, principal }) => {
      const id = await resolveAddress(db, 'instance', params.id)
      const { kind, is_preferred: isPreferred } = body
      await setPreferredOffer(transaction(), id, { kind, isPreferred, by: principal.name })
      return { instance: encodeId('instance', id), kind, is_preferred: isPreferred }
    },
  )
}
