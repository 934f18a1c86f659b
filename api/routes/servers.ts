import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { getServer, listServers } from '#db/read/server.ts'
import { addPeople, addServer, setEngine, type EngineAccess } from '#db/server.ts'
import type { InstallationKey } from '#db/sealing.ts'
import { BusinessError, atField, fieldError } from '#domain/errors.ts'
import { readEngineAddress } from '#domain/server.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { engineSchema, newServerSchema, serverSchema, toServerJson } from '../schemas/server.ts'

export function registerServers(frame: Frame): void {
  registerServerReads(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/servers',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Add a server, or a work centre of people',
      description:
        'With an engine, the worker of the installation reaches it through TLS. Without, a worker of its own serves it: ask for a join token next, and redeem it on the host of the server.',
      body: newServerSchema,
      result: serverSchema,
      status: 201,
      location: (server) => `/v1/servers/${server.id}`,
      refusals: ['code_taken'],
    },
    async ({ transaction, body, principal, now }) => {
      const by = { actor: principal.name, now, installationKey: frame.deps.installationKey }
      const id = await createServer(transaction(), body, by)
      return toServerJson(await getServer(transaction(), id))
    },
  )
  frame.route(
    {
      method: 'put',
      path: '/v1/servers/{id}/engine',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Say anew how an engine behind TLS is reached',
      description:
        'Address and certificates hold within seconds; what waits on the server goes on with them.',
      params: addressParams,
      body: engineSchema,
      result: serverSchema,
      refusals: ['action_not_allowed'],
    },
    async ({ db, transaction, params, body, now }) => {
      const id = await resolveAddress(db, 'server', params.id)
      const { code, connection } = await getServer(db, id)
      if (connection !== 'tls')
        throw new BusinessError('action_not_allowed', `Server ${code} is not reached through TLS.`)
      const engine = checkEngine(body, '')
      const key = requireKey(frame.deps.installationKey)
      await setEngine(transaction(), id, engine, { key, now })
      return toServerJson(await getServer(db, id))
    },
  )
}

interface Adding {
  readonly actor: string
  readonly now: string
  readonly installationKey: InstallationKey | null
}

/** @throws `code_taken`, `field_invalid` */
export async function createServer(
  tx: Tx,
  body: z.output<typeof newServerSchema>,
  { actor, now, installationKey }: Adding,
): Promise<string> {
  const { code, engine, ports = null } = body
  if (body.resource_kind === 'people') {
    if (engine !== undefined || ports !== null)
      throw fieldError('/resource_kind', 'field_invalid', 'People have neither an engine nor ports.')
    return await addPeople(tx, { code, actor })
  }
  if (ports !== null && ports.last < ports.first)
    throw fieldError('/ports/last', 'field_invalid', 'The last port comes before the first one.')
  const access = engine === undefined ? null : checkEngine(engine, '/engine')
  const key = access === null ? null : requireKey(installationKey)
  return await addServer(tx, { code, ports, engine: access, actor }, key, now)
}

function checkEngine(engine: z.output<typeof engineSchema>, pointer: string): EngineAccess {
  atField(`${pointer}/address`, () => readEngineAddress(engine.address))
  return engine
}

function requireKey(key: InstallationKey | null): InstallationKey {
  if (key !== null) return key
  const detail = 'This API has no installation key to seal certificates with; set CLOUDER_KEY_FILE.'
  throw new BusinessError('action_not_allowed', detail)
}

function registerServerReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/servers',
      permission: 'servers:read',
      tag: 'Servers',
      summary: 'List servers, and work centres of people',
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
