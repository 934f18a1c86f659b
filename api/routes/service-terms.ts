import { z } from '@hono/zod-openapi'
import { getServiceTerms, listServiceTerms } from '#db/read/service-terms.ts'
import { findTermsInForce, publishTerms } from '#db/service-terms.ts'
import type { Frame } from '../frame.ts'
import { newServiceTermsSchema, serviceTermsSchema, toServiceTermsJson } from '../schemas/service-terms.ts'

/** What customers accept with an order. A version never changes: another one follows it. */
export function registerServiceTerms(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/service-terms',
      permission: 'seller:read',
      tag: 'Seller',
      summary: 'List every version of the terms of service, the newest first',
      result: z.object({ data: z.array(serviceTermsSchema) }),
    },
    async ({ db, now }) => {
      const [rows, inForce] = [await listServiceTerms(db), await findTermsInForce(db, now)]
      return { data: rows.map((row) => toServiceTermsJson(row, inForce)) }
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/service-terms',
      permission: 'seller:write',
      tag: 'Seller',
      summary: 'Publish the next version of the terms of service',
      body: newServiceTermsSchema,
      result: serviceTermsSchema,
      status: 201,
    },
    async ({ db, transaction, body, now }) => {
      const { text = null, url = null, published_at: publishedAt = now } = body
      const version = await publishTerms(transaction(), { text, url, publishedAt })
      return toServiceTermsJson(await getServiceTerms(db, version), await findTermsInForce(db, now))
    },
  )
}
