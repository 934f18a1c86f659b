import { patched, proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { ServerActivities } from '#activities/index.ts'
import type { ServerTruth } from '#activities/server-reconcile.ts'
import { database, heartbeatTimeout, patientDatabase } from './activities.ts'
import { taskQueues } from './contract.ts'
import { toRefusal } from './failure.ts'

export interface Drift {
  /** Workflows of subscriptions, peers, webhooks and deployers that were missing; the relay starts them again. */
  readonly restarted: readonly string[]
  /** What is otherwise than wanted, and was not safe to repair or could not be; each instance has a task. */
  readonly drift: readonly string[]
  /** Instances that were made again as they should be. */
  readonly repaired: readonly string[]
  /** What carries our labels and belongs to nothing; listed, never removed by itself. */
  readonly orphans: readonly string[]
  readonly unreachable: readonly string[]
}

/** Compares rows with Temporal and with each engine, both ways; starts and repairs what is safe, and reports the rest. */
export async function reconcile(): Promise<Drift> {
  const workflows = await database.compareWorkflows.executeWithOptions(
    { summary: 'rows against Temporal' },
    [],
  )
  if (patched('usage-watch'))
    await patientDatabase.watchUsage.executeWithOptions({ summary: 'what usage costs, against its caps' }, [])
  const { serverIds, hasTaxIdCheck } = await database.listServers.executeWithOptions(
    { summary: 'which servers' },
    [],
  )
  // One that is out of reach takes its whole time, and none of the others'.
  const found = patched('servers-side-by-side')
    ? await Promise.all(serverIds.map(lookAt))
    : await inTurn(serverIds)
  const drift: Drift = {
    restarted: workflows.restarted,
    drift: found.flatMap((one) => one.drift),
    repaired: found.flatMap((one) => one.repaired),
    orphans: found.flatMap((one) => one.orphans),
    unreachable: found.flatMap((one) => one.unreachable),
  }
  if (hasTaxIdCheck) {
    await database.checkTaxIds.executeWithOptions({ summary: 'tax ids that no register confirmed yet' }, [])
  }
  show(drift, workflows.checked)
  return drift
}

type Found = Omit<Drift, 'restarted'>

async function inTurn(serverIds: readonly string[]): Promise<Found[]> {
  const found: Found[] = []
  for (const serverId of serverIds) found.push(await lookAt(serverId))
  return found
}

async function lookAt(serverId: string): Promise<Found> {
  try {
    const { drift, repaired, orphans } = await compareServer(serverId)
    if (patched('expired-backups')) await deleteExpiredBackups(serverId)
    if (patched('links')) await settleLinks(serverId)
    return { drift, repaired, orphans, unreachable: [] }
  } catch (error) {
    const unreachable = [`${serverId}: ${toRefusal(error).detail}`]
    return { drift: [], repaired: [], orphans: [], unreachable }
  }
}

function show(drift: Drift, checked: number): void {
  const rows = Object.entries(drift).map(
    ([kind, found]: [string, readonly string[]]) => `| ${kind} | ${found.join(', ') || 'none'} |`,
  )
  setCurrentDetails([`Checked ${checked} workflows.`, '', '| | |', '|---|---|', ...rows].join('\n'))
}

/** What is left for the next round is done by it. */
async function deleteExpiredBackups(serverId: string): Promise<void> {
  await atServer(serverId).deleteExpiredBackups.executeWithOptions(
    { summary: 'backups that were kept long enough' },
    [{ serverId }],
  )
}

/** What waits for an offer that is there by now, whoever failed to make it before. */
async function settleLinks(serverId: string): Promise<void> {
  await atServer(serverId).settleLinks.executeWithOptions({ summary: 'links that can be made now' }, [
    { serverId },
  ])
}

async function compareServer(serverId: string): Promise<ServerTruth> {
  return await atServer(serverId).compareServer.executeWithOptions(
    { summary: `rows against the engine of ${serverId}` },
    [{ serverId }],
  )
}

/** A server that is away is not waited for: the next round comes in a minute. */
function atServer(serverId: string) {
  return proxyActivities<ServerActivities>({
    taskQueue: taskQueues.server(serverId),
    scheduleToCloseTimeout: '50 s',
    heartbeatTimeout,
    retry: { maximumAttempts: 2 },
  })
}
