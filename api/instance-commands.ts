import { isGrpcServiceError, type Client } from '@temporalio/client'
import type { Db } from '#db/database.ts'
import {
  findInstanceCommand,
  getInstanceCommand,
  keepInstanceCommand,
  readInstanceStanding,
  type AskedInstanceCommand,
  type InstanceCommand,
} from '#db/instance-command.ts'
import { askForLog, takeLogLines } from '#db/log-excerpt.ts'
import { getInstallation } from '#db/read/installation.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseIdle } from '#domain/instance-command.ts'
import type { LogLine, LogRequest } from '#domain/log-line.ts'
import {
  taskQueues,
  workflowIds,
  workflowTypes,
  type InstanceCommandInput,
  type InstanceCommandResult,
  type LogInput,
} from '#workflows/contract.ts'
import type { ApiDependencies } from './dependencies.ts'
import { isErrorCode } from './errors.ts'

type Deps = Pick<ApiDependencies, 'db' | 'client' | 'installationKey'>

const commandDeadlineMs = 75_000
const logDeadlineMs = 20_000

/**
 * Asks something of an instance and waits for what comes of it. What is asked stands in a row under the id of the request: sent again,
 * it is carried out no second time, and answered alike.
 * @throws what it is refused with, `suspended` among it; `temporal_unreachable` where nobody knows yet
 */
export async function askInstance(deps: Deps, asked: AskedInstanceCommand): Promise<InstanceCommand> {
  const { db } = deps
  const { instanceId, requestId, kind } = asked
  const standing = await readInstanceStanding(db, instanceId)
  const known = await findInstanceCommand(db, asked)
  if (known === undefined) {
    refuseIdle(standing)
    await keepInstanceCommand(db, asked, deps.installationKey)
  }
  if (known === undefined || known.finished_at === null) {
    const instance = encodeId('instance', instanceId)
    const input: InstanceCommandInput = {
      instanceId: instance,
      serverId: encodeId('server', standing.server_id),
      requestId,
      kind,
    }
    await execute<InstanceCommandResult>(deps, {
      type: workflowTypes.instanceCommand,
      workflowId: workflowIds.instanceCommand(instance, requestId),
      input,
      deadlineMs: commandDeadlineMs,
      summary: `${kind} of ${instance}`,
    })
  }
  const ended = await getInstanceCommand(db, asked)
  if (ended.refusal_code === null) return ended
  const detail = ended.refusal_detail ?? ''
  throw new BusinessError(isErrorCode(ended.refusal_code) ? ended.refusal_code : 'command_failed', detail)
}

/** Lines of an instance's logs, by way of its server's worker. @throws `temporal_unreachable` */
export async function readLog(
  deps: Deps,
  asked: { instanceId: string; requestId: string; request: LogRequest },
): Promise<readonly LogLine[]> {
  const { db } = deps
  const { instanceId, requestId } = asked
  const { server_id: serverId } = await readInstanceStanding(db, instanceId)
  await askForLog(db, asked)
  const input: LogInput = { serverId: encodeId('server', serverId), requestId }
  await execute<null>(deps, {
    type: workflowTypes.log,
    workflowId: workflowIds.log(requestId),
    input,
    deadlineMs: logDeadlineMs,
    summary: `log of ${encodeId('instance', instanceId)}`,
  })
  return await takeLogLines(db, requestId)
}

async function execute<Result>(
  { db, client }: { db: Db; client: Client },
  asked: { type: string; workflowId: string; input: object; deadlineMs: number; summary: string },
): Promise<Result> {
  const installation = await getInstallation(db)
  const options = {
    workflowId: asked.workflowId,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    taskQueue: taskQueues.installation(encodeId('installation', installation.id)),
    args: [asked.input] as [object],
    staticSummary: asked.summary,
  }
  try {
    return await client.withDeadline(Date.now() + asked.deadlineMs, async () =>
      client.workflow.execute<(input: object) => Promise<Result>>(asked.type, options),
    )
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error
    const detail =
      'The instance’s server did not answer in time. Send it again with the same Idempotency-Key.'
    throw new BusinessError('temporal_unreachable', detail, { cause: error })
  }
}
