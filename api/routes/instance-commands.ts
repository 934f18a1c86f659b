import { randomUUID } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { listInstanceCommands, type AskedInstanceCommand } from '#db/instance-command.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { listSecretFacts, showSecret } from '#db/shown-secret.ts'
import type { Db } from '#db/database.ts'
import { findAction, readActionAnswers } from '#domain/action.ts'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import { authorize, type Principal } from '../authentication.ts'
import type { Frame } from '../frame.ts'
import { askInstance, readLog } from '../instance-commands.ts'
import { actOnInstances, holdSecrets, readLogs } from '../permission.ts'
import { idParams } from '../schemas/common.ts'
import {
  actionParams,
  actionSchema,
  instanceCommandSchema,
  logQuery,
  logSchema,
  runActionSchema,
  secretFactsSchema,
  secretParams,
  shownSecretSchema,
  toActionJson,
  toInstanceCommandJson,
  toLogJson,
  toLogRequest,
} from '../schemas/instance-command.ts'
import { nothingSchema } from '../schemas/subscription.ts'

const commandRefusals = [
  'action_not_allowed',
  'command_failed',
  'container_exited',
  'not_ready_in_time',
  'ports_exhausted',
  'suspended',
  'volume_missing',
] as const satisfies readonly ErrorCode[]

/** What can be asked of a running instance. Each is carried out by its server's worker, once for one key. */
export function registerInstanceCommands(frame: Frame): void {
  const command = {
    method: 'post',
    tag: 'Servers',
    result: instanceCommandSchema,
    effect: 'command',
    refusals: commandRefusals,
  } as const
  frame.route(
    {
      ...command,
      path: '/v1/instances/{id}/restart',
      permission: actOnInstances,
      summary: 'Restart an instance',
      description:
        'Stops its containers in reverse, starts them in order, and answers once it is ready again.',
      params: idParams,
      body: nothingSchema,
    },
    async ({ db, params, principal, commandId }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const asked = { instanceId, requestId: commandId, actor: principal.name, ...nothingSaid }
      return toInstanceCommandJson(
        await askInstance(frame.deps, { ...asked, kind: 'restart', subject: null }),
      )
    },
  )
  frame.route(
    {
      ...command,
      path: '/v1/instances/{id}/actions/{code}',
      permission: actOnInstances,
      summary: 'Run an action of the instance’s application',
      description:
        'What a secret field holds goes to the command’s standard input and is kept nowhere. One that ends with another exit code than 0 is answered, too: its state is failed.',
      params: actionParams,
      body: runActionSchema,
      refusals: [...commandRefusals, 'field_invalid', 'field_required', 'scope_missing'],
    },
    async ({ db, params, body, principal, commandId }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const asked = { instanceId, code: params.code, said: body.fields, principal, requestId: commandId }
      return toInstanceCommandJson(await askInstance(frame.deps, await toAskedAction(db, asked)))
    },
  )
  frame.route(
    {
      ...command,
      path: '/v1/instances/{id}/secrets/{name}/rotate',
      permission: holdSecrets,
      summary: 'Give a secret another value',
      description:
        'The containers that use it are replaced one by one. Where they do not get ready with it, the value before is in its place again.',
      params: secretParams,
      body: nothingSchema,
    },
    async ({ db, params, principal, commandId }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const asked = { instanceId, requestId: commandId, actor: principal.name, ...nothingSaid }
      return toInstanceCommandJson(
        await askInstance(frame.deps, { ...asked, kind: 'rotation', subject: params.name }),
      )
    },
  )
  registerShowing(frame)
  registerReads(frame)
}

/** Of what is asked without words. */
export const nothingSaid = { plain: {}, secret: null } as const

/**
 * An action with what is said with it.
 * @throws `not_found`, `scope_missing` for one that is meant for staff, and what is wrong with a field
 */
export async function toAskedAction(
  db: Db,
  asked: {
    instanceId: string
    code: string
    said: Readonly<Record<string, string>>
    principal: Principal
    requestId: string
  },
): Promise<AskedInstanceCommand> {
  const { instanceId, code, said, principal, requestId } = asked
  const { definition } = await getDeployedInstance(db, instanceId)
  const action = findAction(definition.actions, code)
  if (action.right === 'staff') authorize(principal, 'instances:write')
  const answers = readActionAnswers(action, said)
  return { instanceId, requestId, actor: principal.name, kind: 'action', subject: code, ...answers }
}

function registerShowing(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/secrets',
      permission: holdSecrets,
      tag: 'Servers',
      summary: 'List the secrets of an instance, without their values',
      params: idParams,
      result: secretFactsSchema,
    },
    async ({ db, params }) => {
      const rows = await listSecretFacts(db, await resolveAddress(db, 'instance', params.id))
      const data = rows.map(({ name, version, created_at, shown_at }) => ({
        name,
        version,
        made_at: created_at,
        shown_at,
      }))
      return { data }
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/secrets/{name}/show',
      permission: holdSecrets,
      tag: 'Servers',
      summary: 'Show a secret, once',
      description: 'The answer is kept nowhere: where it is lost, rotate the secret. Who asked is recorded.',
      params: secretParams,
      body: nothingSchema,
      result: shownSecretSchema,
      effect: 'unkept',
      refusals: ['secret_shown'],
    },
    async ({ db, params, principal, now }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const asked = { instanceId, name: params.name, actor: principal.name, now }
      return { name: params.name, value: await showSecret(db, asked, installationKeyOf(frame)) }
    },
  )
}

export function installationKeyOf({ deps }: Frame) {
  if (deps.installationKey !== null) return deps.installationKey
  throw new BusinessError('internal_error', 'This API has no installation key: CLOUDER_KEY_FILE is not set.')
}

function registerReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/actions',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'List what the instance’s application does on request',
      params: idParams,
      result: z.object({ data: z.array(actionSchema) }),
    },
    async ({ db, params }) => {
      const { definition } = await getDeployedInstance(db, await resolveAddress(db, 'instance', params.id))
      return { data: (definition.actions ?? []).map(toActionJson) }
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/commands',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'List what was asked of an instance, by whom, and what came of it; newest first',
      params: idParams,
      result: z.object({ data: z.array(instanceCommandSchema) }),
    },
    async ({ db, params }) => {
      const rows = await listInstanceCommands(db, await resolveAddress(db, 'instance', params.id), 100)
      return { data: rows.map(toInstanceCommandJson) }
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/logs',
      permission: readLogs,
      tag: 'Servers',
      summary: 'Read what the containers of an instance wrote',
      description: 'Secrets of the instance are left out. Lines pass through, and are kept nowhere.',
      params: idParams,
      query: logQuery,
      result: logSchema,
      refusals: ['temporal_unreachable'],
    },
    async ({ db, params, query }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const request = toLogRequest(query)
      return toLogJson(await readLog(frame.deps, { instanceId, requestId: randomUUID(), request }))
    },
  )
}
