import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { getRegistry, listRegistries } from '#db/read/registry.ts'
import { removeRegistry, setRegistryLogin } from '#db/registry.ts'
import { checkRegistryHost } from '#domain/registry.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { newRegistrySchema, registrySchema, toRegistryJson } from '../schemas/registry.ts'

/** Where images come from that not everybody may have. */
export function registerRegistries(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/registries',
      permission: 'registries:read',
      tag: 'Servers',
      summary: 'List registries with a login',
      query: z.strictObject(pageQuery),
      result: pageOf(registrySchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listRegistries(db, page), page, toRegistryJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/registries',
      permission: 'registries:write',
      tag: 'Servers',
      summary: 'Give the login for a registry, or another one',
      description:
        'Servers use it for every image of that host from now on. One that the registry refuses is told as registry_login_failed by the build that needs it.',
      body: newRegistrySchema,
      result: registrySchema,
      status: 201,
      refusals: ['registry_host_invalid'],
    },
    async ({ transaction, body, principal, now }) => {
      const id = await keepLogin(frame, transaction(), body, { actor: principal.name, now })
      return toRegistryJson(await getRegistry(transaction(), id))
    },
  )
  frame.route(
    {
      method: 'delete',
      path: '/v1/registries/{id}',
      permission: 'registries:write',
      tag: 'Servers',
      summary: 'Forget the login for a registry',
      description: 'Images that servers have stay. What has to be pulled again is refused then.',
      params: idParams,
      result: z.null(),
      status: 204,
    },
    async ({ db, transaction, params, principal }) => {
      const id = await resolveAddress(db, 'registry', params.id)
      await removeRegistry(transaction(), id, principal.name)
      return null
    },
  )
}

/** @throws `registry_host_invalid` */
export async function keepLogin(
  { deps }: Frame,
  tx: Tx,
  login: z.output<typeof newRegistrySchema>,
  by: { actor: string; now: string },
): Promise<string> {
  checkRegistryHost(login.host, '/host')
  return await setRegistryLogin(tx, deps.installationKey, login, by)
}
