import { z } from '@hono/zod-openapi'
import { exportApplication, exportInstance, exportInstanceWithSecrets } from '#db/compose-export.ts'
import { resolveAddress } from '../addressing.ts'
import { authorize } from '../authentication.ts'
import type { Frame } from '../frame.ts'
import { holdSecrets } from '../permission.ts'
import { addressParams, idParams } from '../schemas/common.ts'
import { composeExportSchema, toComposeExportJson } from '../schemas/compose-export.ts'

/** What runs here, as plain compose files: nobody is kept by what he cannot take along (F-56). */
export function registerComposeExport(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/export',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'Export an instance as a plain compose file',
      description: `With the values, limits and exact images that it has; its volumes begin empty. With its secrets, a key needs the scope ${holdSecrets}, and an event tells of it.`,
      params: idParams,
      query: z.strictObject({ secrets: z.enum(['omit', 'include']).default('omit') }),
      result: composeExportSchema,
    },
    async ({ db, params, query, principal }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      if (query.secrets === 'omit') return toComposeExportJson(await exportInstance(db, instanceId))
      authorize(principal, holdSecrets)
      const { installationKey } = frame.deps
      if (installationKey === null) throw new Error('without its key no secret can be opened')
      const asked = { instanceId, by: principal.name }
      return toComposeExportJson(await exportInstanceWithSecrets(db, installationKey, asked))
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/applications/{id}/export',
      permission: 'applications:read',
      tag: 'Catalog',
      summary: 'Export an application as a plain compose file',
      description:
        'Its newest version. What an order would say of it, and its secrets, are left to be given.',
      params: addressParams,
      result: composeExportSchema,
    },
    async ({ db, params }) =>
      toComposeExportJson(await exportApplication(db, await resolveAddress(db, 'application', params.id))),
  )
}
