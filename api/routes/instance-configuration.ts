import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import {
  applyConfiguration,
  changeConfiguration,
  previewConfiguration,
  type ConfigurationActor,
} from '#db/instance-configuration.ts'
import { getInstance } from '#db/read/instance.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ContainerChange } from '#domain/replacement.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { nothingSchema } from '../schemas/subscription.ts'
import { toInstanceJson } from '../schemas/instance.ts'
import {
  askedConfigurationSchema,
  changedInstanceSchema,
  comparisonSchema,
  configurationPreviewSchema,
  instanceChangeSchema,
  toAskedConfiguration,
  toComparisonJson,
  toContainersJson,
} from '../schemas/instance-configuration.ts'

/** What of an instance is changed in place, and whether it runs so. */
export function registerInstanceConfiguration(frame: Frame): void {
  registerChange(frame)
  registerPreview(frame)
  registerComparison(frame)
}

function registerChange(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/instances/{id}',
      permission: 'instances:write',
      tag: 'Servers',
      summary: 'Change an instance in place: its name, variables and limits',
      description:
        'Volumes and data stay. Other limits are set while it runs; for other variables the containers that use them are replaced, one by one. Preview says which.',
      params: idParams,
      body: instanceChangeSchema,
      result: changedInstanceSchema,
      refusals: ['action_not_allowed', 'no_server_for_application', 'variable_missing'],
    },
    async ({ transaction, params, body, principal }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'instance', params.id)
      const by = { actor: principal.name, reason: body.reason ?? null }
      const containers = await carryOutChange(tx, id, body, by)
      return { ...toInstanceJson(await getInstance(tx, id)), containers: toContainersJson(containers) }
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/apply',
      permission: 'instances:write',
      tag: 'Servers',
      summary: 'Have an instance run as it is wanted',
      description: 'What differs is carried out as a change is. Read the comparison for how far it is.',
      params: idParams,
      body: nothingSchema,
      result: comparisonSchema,
      refusals: ['action_not_allowed'],
    },
    async ({ transaction, params, principal }) => {
      const id = await resolveAddress(transaction(), 'instance', params.id)
      await applyConfiguration(transaction(), id, principal.name)
      return toComparisonJson(await getInstance(transaction(), id))
    },
  )
}

/** @throws what `changeConfiguration` refuses */
export async function carryOutChange(
  tx: Tx,
  instanceId: string,
  body: z.output<typeof instanceChangeSchema>,
  by: ConfigurationActor,
): Promise<ContainerChange[]> {
  const { name: displayName, apply: isApplied } = body
  const asked = { ...toAskedConfiguration(body), isApplied, displayName }
  return await changeConfiguration(tx, instanceId, asked, by)
}

function registerPreview(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/preview',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'Preview a change of an instance: which containers restart',
      params: idParams,
      body: askedConfigurationSchema,
      result: configurationPreviewSchema,
      effect: 'nothing',
      refusals: ['variable_missing'],
    },
    async ({ db, params, body }) => {
      const id = await resolveAddress(db, 'instance', params.id)
      const containers = await previewConfiguration(db, id, toAskedConfiguration(body))
      return { instance: encodeId('instance', id), containers: toContainersJson(containers) }
    },
  )
}

function registerComparison(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/comparison',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'Compare what is wanted of an instance with what runs',
      description: 'As it was seen last, each minute or when its engine told of it; observed_at says when.',
      params: idParams,
      result: comparisonSchema,
    },
    async ({ db, params }) =>
      toComparisonJson(await getInstance(db, await resolveAddress(db, 'instance', params.id))),
  )
}
