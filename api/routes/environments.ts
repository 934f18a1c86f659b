import { z } from '@hono/zod-openapi'
import { renameEnvironment } from '#db/environment-name.ts'
import { getEnvironment, listEnvironments } from '#db/read/environment.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { environmentChangeSchema, environmentSchema, toEnvironmentJson } from '../schemas/environment.ts'

/** Customers' own spaces. They come with orders, which name one that there is, or a new one. */
export function registerEnvironments(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/environments',
      permission: 'environments:read',
      tag: 'Customers',
      summary: 'List environments',
      query: z.strictObject({ ...pageQuery, customer: addressField.optional() }),
      result: pageOf(environmentSchema),
      refusals: ['customer_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const customer = { kind: 'customer', pointer: '?customer', unknown: 'customer_unknown' } as const
      const customerId =
        query.customer === undefined ? null : await resolveField(db, { ...customer, text: query.customer })
      return toPage(await listEnvironments(db, { ...page, customerId }), page, toEnvironmentJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/environments/{id}',
      permission: 'environments:read',
      tag: 'Customers',
      summary: 'Read an environment',
      params: idParams,
      result: environmentSchema,
    },
    async ({ db, params }) =>
      toEnvironmentJson(await getEnvironment(db, await resolveAddress(db, 'environment', params.id))),
  )
  frame.route(
    {
      method: 'patch',
      path: '/v1/environments/{id}',
      permission: 'environments:write',
      tag: 'Customers',
      summary: 'Rename an environment',
      params: idParams,
      body: environmentChangeSchema,
      result: environmentSchema,
      refusals: ['name_invalid', 'name_taken', 'prefix_fixed', 'prefix_taken'],
    },
    async ({ transaction, params, body, principal }) => {
      const id = await resolveAddress(transaction(), 'environment', params.id)
      const { name, prefix } = body
      const asked = { ...(name === undefined ? {} : { name }), ...(prefix === undefined ? {} : { prefix }) }
      await renameEnvironment(transaction(), id, asked, principal.name)
      return toEnvironmentJson(await getEnvironment(transaction(), id))
    },
  )
}
