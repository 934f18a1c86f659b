import { proxyActivities } from '@temporalio/workflow'
import type { ServerActivities } from '#activities/index.ts'
import { heartbeatTimeout } from './activities.ts'
import { taskQueues, type RepairInput, type RepairResult } from './contract.ts'
import { toRefusal } from './failure.ts'

/** Has one instance made as it should be, because a person asked; who asks waits, so after a minute the answer is no. */
export async function repair(input: RepairInput): Promise<RepairResult> {
  const server = proxyActivities<ServerActivities>({
    taskQueue: taskQueues.server(input.serverId),
    scheduleToCloseTimeout: '60 s',
    heartbeatTimeout,
    retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '10 s' },
  })
  try {
    const { left } = await server.repairInstance.executeWithOptions({ summary: 'look, repair, look again' }, [
      { instanceId: input.instanceId, by: input.by },
    ])
    return { left, refusal: null }
  } catch (error) {
    return { left: [], refusal: toRefusal(error) }
  }
}
