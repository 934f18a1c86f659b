import { WorkflowNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import { listAwakeRows, wakeAgain } from '#db/awake-row.ts'
import { listLastingWorkflows } from '#db/lasting-workflow.ts'
import { reopenWorkflowStart } from '#db/outbox.ts'
import { listServerIds, listServerIdsOfClock } from '#db/server.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'

export interface WorkflowDrift {
  readonly checked: number
  /** Workflows that were missing and are started again by the relay. */
  readonly restarted: readonly string[]
}

/** Rows against Temporal: what lasts as long as its row says has its workflow. */
export function createReconcileActivities({ db, client, taxIdCheck, taxService }: DatabaseDependencies) {
  return {
    async compareWorkflows(): Promise<WorkflowDrift> {
      const lasting = await listLastingWorkflows(db)
      const running = await listRunning(client)
      const restarted: string[] = []
      for (const workflowId of lasting) {
        if (running.has(workflowId) || (await isRunning(client, workflowId))) continue
        await reopenWorkflowStart(db, workflowId)
        restarted.push(workflowId)
      }
      // A row of a backup may say so of one that fell asleep since.
      for (const row of await listAwakeRows(db))
        if (await isAsleep(client, row.workflowId)) await wakeAgain(db, row)
      return { checked: lasting.length, restarted }
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
  const query =
    'WorkflowType IN ("subscription", "peer", "webhook", "deployer") AND ExecutionStatus="Running"'
  const ids = new Set<string>()
  for await (const workflow of client.workflow.list({ query, pageSize: 1_000 })) ids.add(workflow.workflowId)
  return ids
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  return (await describeRunning(client, workflowId)) !== undefined
}

/** It runs, and nothing that it asked for is under way. */
async function isAsleep(client: Client, workflowId: string): Promise<boolean> {
  const running = await describeRunning(client, workflowId)
  return running !== undefined && (running.raw.pendingActivities ?? []).length === 0
}

/** Undefined for one that has ended, or never was. */
async function describeRunning(client: Client, workflowId: string) {
  try {
    const description = await client.workflow.getHandle(workflowId).describe()
    return description.status.name === 'RUNNING' ? description : undefined
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}
