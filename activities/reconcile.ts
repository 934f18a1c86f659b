import { WorkflowNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import { listUnendedSubscriptions } from '#db/subscription-list.ts'
import { listDeployedInstances, listLiveInstanceIds, type DeployedInstance } from '#db/instance.ts'
import { reopenWorkflowStart } from '#db/outbox.ts'
import { getInstallation } from '#db/read/installation.ts'
import { listServerIds } from '#db/server.ts'
import { closeTasks, openTask } from '#db/task.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies, ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'

export interface WorkflowDrift {
  readonly checked: number
  /** Subscriptions whose workflow was missing and is started again by the relay. */
  readonly restarted: readonly string[]
}

export interface ServerDrift {
  readonly checked: number
  /** Instances that should run and do not. */
  readonly missing: readonly string[]
  /** Objects with our labels that belong to no live instance: listed, never removed by themselves. */
  readonly orphans: readonly string[]
}

/** Rows against Temporal: every subscription that has not ended has its workflow. */
export function createReconcileActivities({ db, client, taxIdCheck }: DatabaseDependencies) {
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

    async listServers(): Promise<{ serverIds: string[]; hasTaxIdCheck: boolean }> {
      const ids = await listServerIds(db)
      return { serverIds: ids.map((id) => encodeId('server', id)), hasTaxIdCheck: taxIdCheck !== undefined }
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

/** Rows against the engine of one server: what should run is observed, and what does not has one task. */
export function createServerReconcileActivities({ db, runner }: ServerDependencies) {
  return {
    async compareServer(input: { serverId: string }): Promise<ServerDrift> {
      const serverId = decodeId('server', input.serverId)
      const instances = await listDeployedInstances(db, { serverId, states: ['running', 'limited'] })
      const missing: string[] = []
      await withRunnerContext(async (ctx) => {
        for (const instance of instances) {
          const observed = await runner.observe(instance.planned, ctx)
          ctx.onProgress(`compared ${instance.planned.instance}`)
          if (observed.isRunning) {
            await closeTasks(db, { kind: 'instance', id: instance.id, reason: 'observed running' }, [
              'instance_missing',
            ])
            continue
          }
          missing.push(instance.planned.instance)
          await openInstanceTask(
            instance,
            observed.containers.map((container) => `${container.name} is ${container.state}`),
          )
        }
      })
      return { checked: instances.length, missing, orphans: await listOrphans(serverId) }
    },
  }

  async function listOrphans(serverId: string): Promise<string[]> {
    const installation = await getInstallation(db)
    const live = new Set(await listLiveInstanceIds(db, serverId))
    const managed = await withRunnerContext(
      async (ctx) => await runner.listManaged(encodeId('installation', installation.id), ctx),
    )
    return managed
      .filter((resource) => resource.labels['io.clouder.instance'] !== undefined)
      .filter((resource) => !live.has(resource.labels['io.clouder.instance'] ?? ''))
      .map((resource) => `${resource.kind} ${resource.name}`)
  }

  async function openInstanceTask(instance: DeployedInstance, seen: readonly string[]): Promise<void> {
    await openTask(db, {
      kind: 'instance_missing',
      subjectKind: 'instance',
      subjectId: instance.id,
      subject: `${instance.planned.name} should run and does not`,
      detail: seen.length === 0 ? 'None of its containers is on the server.' : `${seen.join('; ')}.`,
    })
  }
}
