import { proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { ServerActivities } from '#activities/index.ts'
import { database } from './activities.ts'
import { taskQueues } from './contract.ts'
import { toRefusal } from './failure.ts'

/** Compares rows with Temporal and with each engine; starts what is missing, and reports what does not run. */
export async function reconcile(): Promise<{
  restarted: readonly string[]
  missing: readonly string[]
  unreachable: readonly string[]
}> {
  const workflows = await database.compareWorkflows.executeWithOptions(
    { summary: 'rows against Temporal' },
    [],
  )
  const { serverIds } = await database.listServers.executeWithOptions({ summary: 'which servers' }, [])
  const missing: string[] = []
  const unreachable: string[] = []
  for (const serverId of serverIds) {
    try {
      missing.push(...(await compareServer(serverId)))
    } catch (error) {
      unreachable.push(`${serverId}: ${toRefusal(error).detail}`)
    }
  }
  const result = { restarted: workflows.restarted, missing, unreachable }
  setCurrentDetails(
    `checked ${workflows.checked} workflows; started again ${result.restarted.length}; not running ${missing.length}; out of reach ${unreachable.length}`,
  )
  return result
}

/** A server that is away is not waited for: the next round comes in a minute. */
async function compareServer(serverId: string): Promise<readonly string[]> {
  const server = proxyActivities<ServerActivities>({
    taskQueue: taskQueues.server(serverId),
    scheduleToCloseTimeout: '50 s',
    heartbeatTimeout: '10 s',
    retry: { maximumAttempts: 2 },
  })
  const drift = await server.compareServer.executeWithOptions(
    { summary: `rows against the engine of ${serverId}` },
    [{ serverId }],
  )
  return drift.missing
}
