import { z } from '@hono/zod-openapi'
import { readFeature, readFeatures } from '#db/feature.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { featureParams, featuresField, featureSchema } from '../schemas/feature.ts'

/** What is on for a subscription, for the applications that ask. */
export function registerFeatures(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}/features',
      permission: 'subscriptions:read',
      tag: 'Subscriptions',
      summary: 'List the features that a subscription has now',
      params: idParams,
      result: z.object({ features: featuresField }),
    },
    async ({ db, params, now }) => ({
      features: await readFeatures(db, await resolveAddress(db, 'subscription', params.id), now),
    }),
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}/features/{code}',
      permission: 'subscriptions:read',
      tag: 'Subscriptions',
      summary: 'Ask whether a subscription has a feature, or for its value',
      params: featureParams,
      result: featureSchema,
      refusals: ['feature_unknown'],
    },
    async ({ db, params, now }) => {
      const id = await resolveAddress(db, 'subscription', params.id)
      return { feature: params.code, value: await readFeature(db, id, { code: params.code, now }) }
    },
  )
}
