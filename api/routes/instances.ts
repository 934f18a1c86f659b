import { z } from '@hono/zod-openapi'
import { getInstance, listInstances, listLimitCommands, listMetricStates } from '#db/read/instance.ts'
import { instanceStates } from '#domain/instance.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  instanceDetailSchema,
  instanceSchema,
  toInstanceJson,
  toLimitCommandJson,
  toMetricStateJson,
  toSeenContainerJson,
} from '../schemas/instance.ts'
import { findSubscriptionFilter } from './builds.ts'

export function registerInstances(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/instances',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'List instances',
      query: z.strictObject({
        ...pageQuery,
        subscription: addressField.optional(),
        state: z.enum(instanceStates).optional(),
        server: addressField.optional().openapi({ description: 'Those that are on it.' }),
      }),
      result: pageOf(instanceSchema),
      refusals: ['not_found', 'subscription_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      const server = { kind: 'server', pointer: '?server', unknown: 'not_found' } as const
      const serverId =
        query.server === undefined ? null : await resolveField(db, { ...server, text: query.server })
      const { state = null } = query
      const rows = await listInstances(db, { ...page, subscriptionId, serverId, state })
      return toPage(rows, page, toInstanceJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'Read an instance with the log of its limit commands',
      params: idParams,
      result: instanceDetailSchema,
    },
    async ({ db, params }) => {
      const id = await resolveAddress(db, 'instance', params.id)
      const [row, commands, metrics] = await Promise.all([
        getInstance(db, id),
        listLimitCommands(db, id),
        listMetricStates(db, id),
      ])
      return {
        ...toInstanceJson(row),
        containers: row.observed_containers.map(toSeenContainerJson),
        limit_commands: commands.map(toLimitCommandJson),
        metrics: metrics.map(toMetricStateJson),
      }
    },
  )
}
