import type { Db } from '#db/database.ts'
import { insertEvent } from '#db/event.ts'
import { forgetInForce } from '#db/limit-in-force.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { tryInstanceLock } from '#db/instance-lock.ts'
import { countRepairs } from '#db/reconciliation.ts'
import { recordRemoval, recordResource } from '#db/resource.ts'
import { getSubscription } from '#db/subscription.ts'
import { closeTasks, hasOpenTask, openTask } from '#db/task.ts'
import { BusinessError } from '#domain/errors.ts'
import { keyOf, repairCommand, type Finding, type RecordedResource } from '#domain/finding.ts'
import { planRepair } from '#domain/repair.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { refuseUnrepairable, replaceChanged } from './replacement.ts'
import { carryOutSteps, startedAnyway } from './instance-start.ts'
import { openSecrets } from './secret.ts'
import { compareWithEngine, type ComparedInstance } from './server-comparison.ts'

/** So many repairs in so long a time mean that repairing does not help: it stops, and waits for a person. */
const REPAIRS_MAX = 10
export const REPAIRS_WITHIN_MS = 600_000
/** Whoever builds or removes waits for a repair that has begun. */
const REPAIR_DEADLINE_MS = 45_000

export interface RepairRequest {
  readonly instanceId: string
  /** `reconcile`, or the person who asked: what is not safe is repaired for a person only. */
  readonly by: string
}

/**
 * Looks again, repairs, and looks a third time. Nothing is done while somebody else is at work on the instance, or something else is
 * wanted by now: the lock keeps builds, suspensions and removals away until it is done.
 * @returns undefined when the instance was busy
 */
export async function repairInstance(
  deps: ServerDependencies,
  { instanceId, by }: RepairRequest,
  ctx: RunnerContext,
): Promise<ComparedInstance | undefined> {
  return await tryInstanceLock(deps.db, instanceId, async () => {
    const bounded = {
      ...ctx,
      abortSignal: AbortSignal.any([ctx.abortSignal, AbortSignal.timeout(REPAIR_DEADLINE_MS)]),
    }
    const before = await lookAt(deps, instanceId, bounded)
    const isAsked = by !== 'reconcile'
    if (isAsked) refuseUnrepairable(before.findings)
    const repaired = before.findings.filter(
      (one) => one.isSafe || (isAsked && repairableOnRequest.has(one.kind)),
    )
    if (repaired.length === 0) return before
    if (!isAsked && (await isExhausted(deps, before))) return before
    try {
      await carryOut(deps, before, { repaired, isAsked }, bounded)
    } catch (error) {
      await tell(deps, before, { by, kind: 'instance.repair_failed', repaired, error })
      await askForHelp(deps, before, error)
      throw error
    }
    const after = await lookAt(deps, instanceId, bounded)
    await tell(deps, before, { by, kind: 'instance.repaired', repaired, after: after.observed })
    if (isAsked) {
      const subject = { kind: 'instance', id: instanceId, reason: `repaired by ${by}` } as const
      await closeTasks(deps.db, subject, ['repair_stopped'])
    }
    return after
  })
}

/** Replaced, adopted or done again: a person has to say so. Volumes and what belongs to others are for nobody to repair. */
const repairableOnRequest: ReadonlySet<Finding['kind']> = new Set([
  'missing_container',
  'stopped',
  'wrong_image',
  'wrong_configuration',
  'orphan',
])

async function lookAt(
  deps: ServerDependencies,
  instanceId: string,
  ctx: RunnerContext,
): Promise<ComparedInstance> {
  const { serverId } = await getDeployedInstance(deps.db, instanceId)
  const { instances } = await compareWithEngine(deps, { serverId, instanceIds: [instanceId] }, ctx)
  const [found] = instances
  if (found === undefined) throw new BusinessError('not_found', 'There is no such instance any more.')
  return found
}

async function isExhausted({ db }: ServerDependencies, { deployed }: ComparedInstance): Promise<boolean> {
  if (await hasOpenTask(db, 'repair_stopped', deployed.id)) return true
  const repairs = await countRepairs(db, {
    subscriptionId: deployed.subscriptionId,
    instance: deployed.planned.instance,
    since: new Date(Date.now() - REPAIRS_WITHIN_MS).toISOString(),
  })
  if (repairs < REPAIRS_MAX) return false
  await openTask(db, {
    kind: 'repair_stopped',
    subjectKind: 'instance',
    subjectId: deployed.id,
    subject: `${deployed.planned.name} was repaired ${repairs} times in ${REPAIRS_WITHIN_MS / 60_000} minutes`,
    detail: `Repairing it does not help, so it is left as it is. Once the cause is gone: ${repairCommand(deployed.planned.instance)}`,
  })
  return true
}

interface Repair {
  readonly repaired: readonly Finding[]
  readonly isAsked: boolean
}

async function carryOut(
  deps: ServerDependencies,
  compared: ComparedInstance,
  { repaired, isAsked }: Repair,
  ctx: RunnerContext,
): Promise<void> {
  const { db, runner, installationKey } = deps
  const { deployed, wanted } = compared
  await settleRows(db, compared, repaired)
  const withSecrets = { ...ctx, secrets: await openSecrets(db, installationKey, deployed) }
  if (isAsked) await replaceChanged(deps, { ...compared, findings: repaired }, withSecrets)
  const repair = { instance: deployed, steps: planRepair(wanted.steps, repaired), isUnasked: !isAsked }
  const work = async (): Promise<void> => await carryOutSteps(deps, repair, withSecrets)
  await (wanted.wants === 'running' ? startedAnyway(deps, repair, withSecrets, work) : work())
  const ref = { definition: deployed.definition, instance: deployed.planned }
  if (wanted.wants === 'running') await forgetInForce(db, deployed)
  if (wanted.wants === 'stopped') await runner.stop(ref, withSecrets)
}

/** Rows follow what was seen: what is there is recorded under the id that it has, and what is not there as removed. */
async function settleRows(
  db: Db,
  { deployed, objects }: ComparedInstance,
  repaired: readonly Finding[],
): Promise<void> {
  for (const { kind, objectKind, objectName } of repaired) {
    if (kind !== 'orphan' && kind !== 'ghost') continue
    const of = { kind: objectKind, name: objectName }
    const found = objects.find((object) => keyOf(object) === keyOf(of))
    if (found !== undefined) await record(db, deployed, { ...of, externalId: found.externalId })
    else if (kind === 'ghost') await recordRemoval(db, { instanceId: deployed.id, ...of })
  }
}

async function record(
  db: Db,
  { id: instanceId, serverId }: DeployedInstance,
  resource: Pick<RecordedResource, 'kind' | 'name' | 'externalId'>,
): Promise<void> {
  await recordResource(db, { instanceId, serverId, ...resource })
}

/** What no later try changes waits for a person, beside the task that says what is not as it should be. */
async function askForHelp(
  { db }: ServerDependencies,
  { deployed }: ComparedInstance,
  error: unknown,
): Promise<void> {
  if (!(error instanceof BusinessError)) return
  const [reason = ''] = error.message.split('\n')
  const { instance, name } = deployed.planned
  await openTask(db, {
    kind: 'repair_failed',
    subjectKind: 'instance',
    subjectId: deployed.id,
    subject: `${name} could not be repaired: ${error.code}`,
    detail: `${reason}. Once the cause is gone: ${repairCommand(instance)}`,
  })
}

async function tell(
  { db }: ServerDependencies,
  before: ComparedInstance,
  told: {
    by: string
    kind: 'instance.repaired' | 'instance.repair_failed'
    repaired: readonly Finding[]
    after?: ComparedInstance['observed']
    error?: unknown
  },
): Promise<void> {
  const { deployed } = before
  const { customer_id: customerId } = await getSubscription(db, deployed.subscriptionId)
  const [reason = ''] = told.error instanceof Error ? told.error.message.split('\n') : []
  await insertEvent(db, {
    kind: told.kind,
    customerId,
    subscriptionId: deployed.subscriptionId,
    data: {
      instance: deployed.planned.instance,
      name: deployed.planned.name,
      by: told.by,
      findings: told.repaired.map(({ kind, objectName }) => ({ kind, object: objectName })),
      before: before.observed,
      ...(told.after === undefined ? { detail: reason } : { after: told.after }),
    },
  })
}
