import { listOpenTasks, closeTasks, openTask, type NewTask } from '#db/task.ts'
import { countRepairs } from '#db/reconciliation.ts'
import { noteHostRules, readGuests } from '#db/host-rules.ts'
import { recordRemoval } from '#db/resource.ts'
import { keepForeignSubnets } from '#db/subnet-move.ts'
import { lockServer, releaseSubnets, tellSubnetUse } from '#db/subnet.ts'
import type { ComparedScope } from '#db/finding.ts'
import { decodeId } from '#domain/identifier.ts'
import type { Finding } from '#domain/finding.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { repairInstance, REPAIRS_WITHIN_MS } from './repair.ts'
import { compareWithEngine, type ComparedInstance } from './server-comparison.ts'

export interface ServerTruth {
  readonly checked: number
  /** What is still otherwise than wanted, in words. */
  readonly drift: readonly string[]
  /** Objects with our labels that no row knows: listed, never removed by themselves. */
  readonly orphans: readonly string[]
  /** Instances that were repaired. */
  readonly repaired: readonly string[]
}

/** No repair is begun later than this in one pass: the next one comes in a minute. */
const REPAIRS_BEGIN_WITHIN_MS = 25_000

/** Rows against the engine of one server, and what of it is repaired. */
export function createServerReconcileActivities(deps: ServerDependencies) {
  return {
    async compareServer(input: { serverId: string }): Promise<ServerTruth> {
      const scope = { serverId: decodeId('server', input.serverId), instanceIds: null }
      return await withRunnerContext(async (ctx) => {
        const truth = await reconcileServer(deps, scope, ctx)
        await settleSubnets(deps, scope.serverId, ctx)
        await settleHostRules(deps, scope.serverId, ctx)
        return truth
      })
    },

    /** A person asked: what only a person may decide is repaired, too. */
    async repairInstance(input: { instanceId: string; by: string }): Promise<{ left: readonly string[] }> {
      const instanceId = decodeId('instance', input.instanceId)
      const after = await withRunnerContext(
        async (ctx) => await repairInstance(deps, { instanceId, by: input.by }, ctx),
      )
      if (after === undefined)
        throw new Error(`${input.instanceId} is being built, stopped, started or repaired just now`)
      await settleTasks(deps, [after])
      return { left: after.findings.map(tell) }
    },
  }
}

/**
 * Compares, repairs what is safe, and has one task for each instance that is otherwise than wanted after that. Removes nothing.
 * @param scope some instances, as soon as the engine tells of them, or all, every minute
 */
export async function reconcileServer(
  deps: ServerDependencies,
  scope: ComparedScope,
  ctx: RunnerContext,
): Promise<ServerTruth> {
  const endsMs = Date.now() + REPAIRS_BEGIN_WITHIN_MS
  const { instances, findings } = await compareWithEngine(deps, scope, ctx)
  await settleEndedRows(deps, instances, findings)
  const repaired: string[] = []
  const standing: ComparedInstance[] = []
  for (const one of instances) {
    const isDue = one.findings.some(({ isSafe }) => isSafe) && Date.now() < endsMs
    const after = isDue ? await repairSafely(deps, one, ctx) : one
    if (after !== one) repaired.push(one.wanted.instance)
    standing.push(after)
  }
  await settleTasks(deps, standing)
  const left = [
    ...findings.filter(({ instance }) => instance === null),
    ...standing.flatMap((one) => one.findings),
  ]
  return {
    checked: instances.length,
    drift: left.filter(({ kind }) => kind !== 'orphan').map(tell),
    orphans: left
      .filter(({ kind }) => kind === 'orphan')
      .map(({ objectKind, objectName }) => `${objectKind} ${objectName}`),
    repaired,
  }
}

function tell({ kind, objectName }: Finding): string {
  return `${kind} ${objectName}`
}

/** Addresses that others have by now are not planned with, and those of environments that are gone are free again. */
async function settleSubnets({ db, runner }: ServerDependencies, serverId: string, ctx: RunnerContext) {
  const held = await runner.listRanges(ctx)
  await db.transaction().execute(async (tx) => {
    await lockServer(tx, serverId)
    await keepForeignSubnets(tx, serverId, held)
    await releaseSubnets(tx, serverId)
    await tellSubnetUse(tx, serverId)
  })
}

/** Somebody may have taken them away, and networks of links come and go. */
async function settleHostRules({ db, runner }: ServerDependencies, serverId: string, ctx: RunnerContext) {
  const guests = await readGuests(db, serverId)
  await noteHostRules(db, serverId, await runner.keepHostRules(guests, ctx))
}

/** One that cannot be repaired holds up no other: its event says why, and its task stays. */
async function repairSafely(
  deps: ServerDependencies,
  one: ComparedInstance,
  ctx: RunnerContext,
): Promise<ComparedInstance> {
  try {
    return (await repairInstance(deps, { instanceId: one.deployed.id, by: 'reconcile' }, ctx)) ?? one
  } catch {
    ctx.abortSignal.throwIfAborted()
    return one
  }
}

/** Rows of instances that have ended and whose objects are gone: their absence was seen just now. */
async function settleEndedRows(
  { db }: ServerDependencies,
  instances: readonly ComparedInstance[],
  findings: readonly Finding[],
): Promise<void> {
  const live = new Set(instances.map(({ wanted }) => wanted.instance))
  for (const { kind, instance, objectKind, objectName } of findings) {
    if (kind !== 'ghost' || instance === null || live.has(instance)) continue
    const instanceId = decodeId('instance', instance)
    await recordRemoval(db, { instanceId, kind: objectKind, name: objectName })
  }
}

/** They are done once the instance is observed as wanted, whoever saw to it. */
const settledTasks = ['instance_drift', 'repair_failed', 'replacement_failed'] as const

async function settleTasks(deps: ServerDependencies, instances: readonly ComparedInstance[]): Promise<void> {
  const listed = await listOpenTasks(deps.db, [...settledTasks, 'repair_stopped'])
  const open = new Set(listed.map(({ kind, subjectId }) => `${kind}/${subjectId}`))
  for (const { deployed, wanted, findings } of instances) {
    if (wanted.wants === 'nothing') continue
    const grave = findings.filter(({ severity }) => severity !== 'notice')
    if (grave.length > 0) {
      await openTask(deps.db, {
        kind: 'instance_drift',
        subjectKind: 'instance',
        subjectId: deployed.id,
        subject: `${deployed.planned.name} is not as it should be`,
        detail: grave.map(({ detail, command }) => `${detail} Then: ${command}`).join(' '),
      })
      continue
    }
    const subject = { kind: 'instance', id: deployed.id, reason: 'observed as wanted' } as const
    const settled: NewTask['kind'][] = settledTasks.filter((kind) => open.has(`${kind}/${deployed.id}`))
    if (open.has(`repair_stopped/${deployed.id}`) && (await isCalm(deps, deployed)))
      settled.push('repair_stopped')
    if (settled.length > 0) await closeTasks(deps.db, subject, settled)
  }
}

/** It has been as wanted for as long as repairs are counted. */
async function isCalm({ db }: ServerDependencies, deployed: ComparedInstance['deployed']): Promise<boolean> {
  const since = new Date(Date.now() - REPAIRS_WITHIN_MS).toISOString()
  const of = { subscriptionId: deployed.subscriptionId, instance: deployed.planned.instance, since }
  return (await countRepairs(db, of)) === 0
}
