import { WorkflowNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import { listUnendedSubscriptions } from '#db/subscription-list.ts'
import { reopenWorkflowStart } from '#db/outbox.ts'
import { listServerIds, listServerIdsOfClock } from '#db/server.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'

export interface WorkflowDrift {
  readonly checked: number
  /** Subscriptions whose workflow was missing and is started again by the relay. */
  readonly restarted: readonly string[]
}

/** Rows against Temporal: every subscription that has not ended has its workflow. */
export function createReconcileActivities({ db, client, taxIdCheck, taxService }: DatabaseDependencies) {
  return {
    async compareWorkflows(): Promise<WorkflowDrift> {
      const subscriptions = await listUnendedSubscriptions(db)
      const running = await listRunning(client)
      const restarted: string[] = []
      for (const subscription of subscriptions) {
        const workflowId = `subscription/${encodeId('subscription', subscription.id)}`
        if (running.has(workflowId) || (await isRunning(client, workflowId))) continue
        await reopenWorkflowStart(db, workflowId)
        restarted.push(workflowId)
      }
      return { checked: subscriptions.length, restarted }
    },

    /** All that things are built on, or those on which something of a test clock runs. */
    async listServers(of?: {
      testClockId: string
    }): Promise<{ serverIds: string[]; hasTaxIdCheck: boolean }> {
      const ids = of
        ? await listServerIdsOfClock(db, decodeId('testClock', of.testClockId))
        : await listServerIds(db)
      return {
        serverIds: ids.map((id) => encodeId('server', id)),
        // What is asked about taxes is one activity: of tax ids, and of what waits for the tax service.
        hasTaxIdCheck: taxIdCheck !== undefined || taxService !== undefined,
      }
    },
  }
}

/** A few pages, however many sleep. The list lags behind, so what it lacks is asked for by id. */
async function listRunning(client: Client): Promise<Set<string>> {
  const query = 'WorkflowType="subscription" AND ExecutionStatus="Running"'
  const ids = new Set<string>()
  for await (const workflow of client.workflow.list({ query, pageSize: 1_000 })) ids.add(workflow.workflowId)
  return ids
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const description = await client.workflow.getHandle(workflowId).describe()
    return description.status.name === 'RUNNING'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}
