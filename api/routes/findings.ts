import { z } from '@hono/zod-openapi'
import { isGrpcServiceError } from '@temporalio/client'
import { listFindings } from '#db/read/finding.ts'
import { getInstance } from '#db/read/instance.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import {
  taskQueues,
  workflowIds,
  workflowTypes,
  type RepairInput,
  type RepairResult,
} from '#workflows/contract.ts'
import { getInstallation } from '#db/read/installation.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import { isErrorCode } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { findingSchema, repairSchema, toFindingJson } from '../schemas/finding.ts'

/** A repair is given a minute, and its answer some more to arrive. */
const repairDeadlineMs = 75_000

/** What was found otherwise than wanted, and the way to have an instance made as it should be. */
export function registerFindings(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/findings',
      permission: 'servers:read',
      tag: 'Servers',
      summary: 'List what is not as it should be: drift, orphans, ghosts and foreign objects',
      description:
        'Wanted, recorded and observed are compared every minute, and as soon as an engine tells of a change. What is settled is not listed any more.',
      query: z.strictObject({ ...pageQuery, server: addressField.optional() }),
      result: pageOf(findingSchema),
      refusals: ['not_found', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const field = { kind: 'server', pointer: '?server', unknown: 'not_found' } as const
      const serverId =
        query.server === undefined ? null : await resolveField(db, { ...field, text: query.server })
      return toPage(await listFindings(db, { ...page, serverId }), page, toFindingJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/repair',
      permission: 'instances:write',
      tag: 'Servers',
      summary: 'Have an instance made as it should be',
      description:
        'Starts what stopped, makes again what is missing, and replaces containers that are not as planned: what they hold outside volumes is lost. A volume that is gone is not made again empty, and what belongs to others is left alone.',
      params: idParams,
      result: repairSchema,
      effect: 'command',
      refusals: [
        'volume_missing',
        'name_taken_on_server',
        'image_unknown',
        'container_exited',
        'repair_failed',
      ],
    },
    async ({ db, params, commandId, principal }) => {
      const id = await resolveAddress(db, 'instance', params.id)
      const { server_id: serverId } = await getInstance(db, id)
      const instance = encodeId('instance', id)
      const left = await repair(frame, {
        commandId,
        input: { instanceId: instance, serverId: encodeId('server', serverId), by: principal.name },
      })
      return { instance, observed_state: (await getInstance(db, id)).observed_state, left }
    },
  )
}

/** Sent twice with one key, it is one repair while it is at work, and does nothing more afterwards. */
async function repair(
  { deps }: Frame,
  { commandId, input }: { commandId: string; input: RepairInput },
): Promise<string[]> {
  const installation = await getInstallation(deps.db)
  const taskQueue = taskQueues.installation(encodeId('installation', installation.id))
  const result = await deps.client
    .withDeadline(Date.now() + repairDeadlineMs, async () =>
      deps.client.workflow.execute<(given: RepairInput) => Promise<RepairResult>>(workflowTypes.repair, {
        workflowId: workflowIds.repair(input.instanceId, commandId),
        workflowIdConflictPolicy: 'USE_EXISTING',
        taskQueue,
        args: [input],
        staticSummary: `repairs ${input.instanceId}`,
      }),
    )
    .catch((error: unknown) => {
      if (!isGrpcServiceError(error)) throw error
      const detail = 'The repair did not end in time. It goes on; list what is left in a minute.'
      throw new BusinessError('temporal_unreachable', detail, { cause: error })
    })
  const { refusal, left } = result
  if (refusal === null) return [...left]
  if (isErrorCode(refusal.code)) throw new BusinessError(refusal.code, refusal.detail)
  throw new BusinessError('repair_failed', refusal.detail)
}
