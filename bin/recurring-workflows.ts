import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client'
import { encodeId } from '#domain/identifier.ts'
import { scheduleIds, workflowIds, workflowTypes } from '#workflows/contract.ts'

export interface RecurringWorkflows {
  readonly installationId: string
  readonly installationQueue: string
  readonly samplingIntervalMs: number
}

/** What runs without being asked: the billing run each hour, reconciliation of all servers each minute, the clean-up of readings each day. */
export async function ensureRecurringWorkflows(client: Client, of: RecurringWorkflows): Promise<void> {
  const installationId = encodeId('installation', of.installationId)
  await ensureSchedule(client, {
    scheduleId: scheduleIds.billingRun(installationId),
    every: '1 hour',
    workflowType: workflowTypes.billingRun,
    workflowId: scheduleIds.billingRun(installationId),
    args: [{}],
    taskQueue: of.installationQueue,
  })
  await ensureSchedule(client, {
    scheduleId: scheduleIds.reconcile(installationId),
    every: '1 minute',
    workflowType: workflowTypes.reconcile,
    workflowId: workflowIds.reconcile(installationId),
    args: [],
    taskQueue: of.installationQueue,
  })
  await ensureSchedule(client, {
    scheduleId: scheduleIds.readingRetention(installationId),
    every: '1 day',
    workflowType: workflowTypes.readingRetention,
    workflowId: workflowIds.readingRetention(installationId),
    args: [],
    taskQueue: of.installationQueue,
  })
}

/** Each server has a sampler of its own, so that one that is out of reach holds up no other. @param of `serverId`: `srv_…` */
export async function ensureSampler(
  client: Client,
  of: RecurringWorkflows & { readonly serverId: string },
): Promise<void> {
  await client.workflow.start(workflowTypes.sampler, {
    workflowId: workflowIds.sampler(of.serverId),
    taskQueue: of.installationQueue,
    args: [{ serverId: of.serverId, intervalMs: of.samplingIntervalMs }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `reads every instance of ${of.serverId}`,
  })
}

/** What ran for a server ends with it. @param serverId `srv_…` */
export async function endSampler(client: Client, serverId: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowIds.sampler(serverId)).terminate('the server was removed')
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

interface RecurringSchedule {
  readonly scheduleId: string
  readonly every: '1 day' | '1 hour' | '1 minute'
  readonly workflowType: string
  readonly workflowId: string
  readonly args: unknown[]
  readonly taskQueue: string
}

async function ensureSchedule(client: Client, schedule: RecurringSchedule): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: schedule.scheduleId,
      spec: { intervals: [{ every: schedule.every }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
      action: {
        type: 'startWorkflow',
        workflowType: schedule.workflowType,
        workflowId: schedule.workflowId,
        args: schedule.args,
        taskQueue: schedule.taskQueue,
      },
    })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
  }
}
