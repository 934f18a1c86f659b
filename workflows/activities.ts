import { proxyActivities } from '@temporalio/workflow'
import type { DatabaseActivities, ServerActivities } from '#activities/index.ts'
import { taskQueues } from './contract.ts'

/** Every activity says each second that its worker lives: one that was killed is noticed, and its work begun again, after this. */
const heartbeatTimeout = '10 s'

/** Rows and Temporal: short, and retried until they succeed. Refusals are not retried. */
export const database = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '60 s',
  heartbeatTimeout,
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 m' },
})

/** Telling a subscription the time waits for what it does then. */
export const patientDatabase = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '10 m',
  heartbeatTimeout,
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 s' },
})

/** Work beside one server's engine. A lost host parks its work, because its queue is polled by nobody else. */
export function onServer(serverId: string) {
  return proxyActivities<ServerActivities>({
    taskQueue: taskQueues.server(serverId),
    startToCloseTimeout: '30 m',
    heartbeatTimeout,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 s' },
  })
}
