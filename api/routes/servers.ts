import { z } from '@hono/zod-openapi'
import { getServer, listServers } from '#db/read/server.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { serverSchema, toServerJson } from '../schemas/server.ts'

export function registerServers(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/servers',
      permission: 'servers:read',
      tag: 'Servers',
      summary: 'List servers',
      query: z.strictObject(pageQuery),
      result: pageOf(serverSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listServers(db, page), page, toServerJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/servers/{id}',
      permission: 'servers:read',
      tag: 'Servers',
      summary: 'Read a server',
      params: addressParams,
      result: serverSchema,
    },
    async ({ db, params }) =>
      toServerJson(await getServer(db, await resolveAddress(db, 'server', params.id))),
  )
}
