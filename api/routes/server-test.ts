import { isGrpcServiceError } from '@temporalio/client'
import { getInstallation } from '#db/read/installation.ts'
import { getServer, type ServerRow } from '#db/read/server.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ServerExamination } from '#domain/runner.ts'
import { serverUnreachable } from '#domain/server.ts'
import { taskQueues, workflowIds, workflowTypes, type ServerTestResult } from '#workflows/contract.ts'
import { resolveAddress } from '../addressing.ts'
import { isErrorCode } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { addressParams } from '../schemas/common.ts'
import { serverTestSchema, toServerTestJson } from '../schemas/server.ts'

/** Whoever asks has an answer within ten seconds. */
const testDeadlineMs = 8_500
/** What was found this lately, beside the work of the server, is why nobody took up the test. */
const freshMs = 30_000

export function registerServerTest(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/servers/{id}/test',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Test the connection to a server',
      description:
        'Answers within ten seconds: with versions, what is free and what is allowed there, or with the cause by its name: refused, timed out, TLS wrong, name unknown, not permitted, worker silent.',
      params: addressParams,
      result: serverTestSchema,
      effect: 'command',
      refusals: ['server_unreachable', 'action_not_allowed'],
    },
    async ({ db, params, commandId }) => {
      const id = await resolveAddress(db, 'server', params.id)
      return toServerTestJson(id, await testServer(frame, id, commandId))
    },
  )
}

/** @throws `server_unreachable`, `action_not_allowed` for people */
export async function testServer(frame: Frame, id: string, commandId: string): Promise<ServerExamination> {
  const { db } = frame.deps
  const before = await getServer(db, id)
  if (before.connection === null)
    throw new BusinessError(
      'action_not_allowed',
      `${before.code} is a work centre of people: nothing to test.`,
    )
  const { examination, refusal } = await runTest(frame, encodeId('server', id), commandId)
  if (examination !== null) return examination
  if (refusal === null) throw nobodyAnswered(await getServer(db, id))
  throw isErrorCode(refusal.code)
    ? new BusinessError(refusal.code, refusal.detail)
    : serverUnreachable(before.code, 'failed', refusal.detail)
}

async function runTest({ deps }: Frame, serverId: string, commandId: string): Promise<ServerTestResult> {
  const installation = await getInstallation(deps.db)
  return await deps.client
    .withDeadline(Date.now() + testDeadlineMs, async () =>
      deps.client.workflow.execute<(given: { serverId: string }) => Promise<ServerTestResult>>(
        workflowTypes.serverTest,
        {
          workflowId: workflowIds.serverTest(serverId, commandId),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: taskQueues.installation(encodeId('installation', installation.id)),
          args: [{ serverId }],
          staticSummary: `tests ${serverId}`,
        },
      ),
    )
    .catch((error: unknown) => {
      if (!isGrpcServiceError(error)) throw error
      return { examination: null, refusal: null }
    })
}

/** A server whose hands are full, or whose worker is away: what was seen of it beside its work says more. */
function nobodyAnswered(server: ServerRow): BusinessError {
  const checkedAt = server.checked_at
  const isFresh = checkedAt !== null && Date.parse(server.read_at) - Date.parse(checkedAt) < freshMs
  if (isFresh && server.failure_cause !== null)
    return serverUnreachable(server.code, server.failure_cause, server.failure_detail ?? '')
  const seen = server.last_seen_at === null ? 'never seen' : `last seen at ${server.last_seen_at}`
  const joined =
    server.connection === 'own_worker' && server.joined_at === null ? 'it has not joined yet, ' : ''
  return serverUnreachable(server.code, 'worker_silent', `${joined}${seen}`)
}
