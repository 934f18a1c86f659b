import { ActivityFailure, TimeoutFailure, proxyActivities } from '@temporalio/workflow'
import type { ServerActivities } from '#activities/index.ts'
import { taskQueues, type SamplerInput, type ServerTestResult } from './contract.ts'
import { toRefusal } from './failure.ts'

/** Has a server's engine tried by whoever does its work. Who asks waits, so an answer comes within seconds, whatever it is. */
export async function serverTest({ serverId }: Pick<SamplerInput, 'serverId'>): Promise<ServerTestResult> {
  const server = proxyActivities<ServerActivities>({
    taskQueue: taskQueues.server(serverId),
    scheduleToCloseTimeout: '7 s',
    heartbeatTimeout: '5 s',
    retry: { maximumAttempts: 1 },
  })
  try {
    const examination = await server.testServer.executeWithOptions({ summary: `try ${serverId}` }, [
      { serverId },
    ])
    return { examination, refusal: null }
  } catch (error) {
    if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure)
      return { examination: null, refusal: null }
    return { examination: null, refusal: toRefusal(error) }
  }
}
