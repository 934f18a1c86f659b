import { z } from '@hono/zod-openapi'
import { changeServer, type ServerChange } from '#db/capacity.ts'
import { placeApplication } from '#db/placement.ts'
import { getServer } from '#db/read/server.ts'
import { removeServer } from '#db/server-removal.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { serverChangeSchema } from '../schemas/capacity.ts'
import { addressField, addressParams } from '../schemas/common.ts'
import { placementSchema, toPlacementJson } from '../schemas/placement.ts'
import { serverSchema, toServerJson } from '../schemas/server.ts'

/** How much a server offers and to what, and where an application would go. */
export function registerServerCapacity(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/servers/{id}',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Say how much a server offers, and to what; drain it',
      description:
        'Less may be offered than is reserved: then nothing new is placed on it until enough has ended. What is there stays where it is.',
      params: addressParams,
      body: serverChangeSchema,
      result: serverSchema,
    },
    async ({ db, transaction, params, body, principal, now }) => {
      const id = await resolveAddress(db, 'server', params.id)
      await changeServer(transaction(), id, toServerChange(body), { actor: principal.name, now })
      return toServerJson(await getServer(db, id))
    },
  )
  frame.route(
    {
      method: 'delete',
      path: '/v1/servers/{id}',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Remove a server on which nothing is',
      description: 'Instances, and backups that are kept on it, are refused with their list: drain it first.',
      params: addressParams,
      result: z.null(),
      status: 204,
      refusals: ['server_in_use'],
    },
    async ({ db, transaction, params, principal, now }) => {
      const id = await resolveAddress(db, 'server', params.id)
      await removeServer(transaction(), id, { actor: principal.name, now })
      return null
    },
  )
  registerPlacement(frame)
}

function registerPlacement(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/applications/{id}/placement',
      permission: 'servers:read',
      tag: 'Servers',
      summary: 'See where an instance of an application would go now, and why',
      description: 'Nothing is reserved. The preview of an order says the same of all that it would make.',
      params: addressParams,
      query: z.strictObject({
        environment: addressField
          .optional()
          .openapi({ description: 'Its instances are placed beside each other, where they can be.' }),
        server: addressField.optional().openapi({ description: 'Where it should be, if it can be there.' }),
      }),
      result: placementSchema,
      refusals: ['application_unknown', 'application_refused'],
    },
    async ({ db, params, query }) => {
      const environment = { kind: 'environment', pointer: '?environment', unknown: 'not_found' } as const
      const server = { kind: 'server', pointer: '?server', unknown: 'not_found' } as const
      const placement = await placeApplication(db, {
        applicationId: await resolveAddress(db, 'application', params.id),
        environmentId:
          query.environment === undefined
            ? null
            : await resolveField(db, { ...environment, text: query.environment }),
        preferredServerId:
          query.server === undefined ? null : await resolveField(db, { ...server, text: query.server }),
      })
      return toPlacementJson(placement)
    },
  )
}

/** What is left out of the body is left out of the change. */
export function toServerChange(body: z.output<typeof serverChangeSchema>): ServerChange {
  const { capacity = {}, efficiency, tags, draining } = body
  return {
    ...(capacity.memory_mib === undefined ? {} : { memoryMib: capacity.memory_mib }),
    ...(capacity.cpus === undefined ? {} : { cpus: capacity.cpus }),
    ...(capacity.disk_mib === undefined ? {} : { diskMib: capacity.disk_mib }),
    ...(capacity.instances === undefined ? {} : { mostInstances: capacity.instances }),
    ...(efficiency === undefined ? {} : { efficiency }),
    ...(tags === undefined ? {} : { tags }),
    ...(draining === undefined ? {} : { isDraining: draining }),
  }
}
