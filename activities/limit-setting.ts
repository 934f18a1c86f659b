import { setContainerLimits } from '#db/instance-configuration.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import {
  commandedLimits,
  giveUpSetting,
  listLost,
  noteNotInForce,
  openLimitTask,
} from '#db/limit-in-force.ts'
import { listNotInForce, noteSoldLimit, recordLimit } from '#db/limit.ts'
import { readUsed } from '#db/limit-use.ts'
import { keyOfLimit, listSoldLimits, type SoldLimit } from '#db/sold-limit.ts'
import type { LimitDefinition, ResourceLimit } from '#domain/application.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { isHeldBy, limitPatienceMs } from '#domain/limit-hold.ts'
import { soldResource } from '#domain/resource-limit.ts'
import type { LimitObservation, RunnerContext } from '#domain/runner.ts'
import type { Enforcement } from '#domain/terms.ts'
import type { ServerDependencies } from './dependencies.ts'
import { eachOf } from './each-of.ts'
import { makeAsPlanned } from './replacement.ts'
import { openSecrets } from './secret.ts'

/** What is sold of a limit of an instance. */
export interface ToSet {
  readonly code: string
  readonly quantity: string
  /** Of the quantity; left out, as the enforcement, in histories older than limits that are held from outside. */
  readonly unit?: string
  readonly enforcement?: Enforcement
}

interface InUse {
  readonly inForce: number
  readonly inUse: number
}

/**
 * Sets a sold limit in the instance and reads it back, as its application holds it. What is only warned of, or held from outside once
 * it is reached, is written down and set nowhere. Commands set a value, they never add to one: it may be done again at any time.
 * @throws `limit_not_enforceable`, `limit_not_in_force`
 */
export async function setLimit(
  deps: ServerDependencies,
  { instance, toSet }: { instance: DeployedInstance; toSet: ToSet },
  ctx: RunnerContext,
): Promise<InUse> {
  const { db } = deps
  const row = { ...toSet, instanceId: instance.id }
  if (toSet.enforcement === 'soft') {
    await recordLimit(db, { ...row, inForce: null, commands: [] })
    return { inForce: 0, inUse: 0 }
  }
  const limit = findEnforceable(instance.definition.limits, toSet.code)
  if ('resource' in limit) await setResource(deps, { instance, limit, toSet }, ctx)
  if (!('set' in limit)) {
    await recordLimit(db, { ...row, inForce: Number(toSet.quantity), commands: [] })
    return { inForce: Number(toSet.quantity), inUse: await readUsed(db, row) }
  }
  if (isStopped(instance)) {
    await noteSoldLimit(db, row)
    return { inForce: 0, inUse: await readUsed(db, row) }
  }
  const ref = { definition: instance.definition, instance: instance.planned }
  const value = { code: toSet.code, value: Number(toSet.quantity) }
  const secrets = await openSecrets(db, deps.installationKey, instance)
  const observed = await deps.runner.applyLimit(ref, value, { ...ctx, secrets })
  await recordLimit(db, { ...row, inForce: observed.inForce, commands: toRows(observed) })
  return { inForce: observed.inForce, inUse: observed.inUse }
}

/** Sets by command what was sold while an instance was stopped, and could not be set then. What fails is tried again later. */
export async function applyWaitingLimits(
  deps: ServerDependencies,
  instance: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const byCommand = new Set(commandedLimits(instance))
  if (byCommand.size === 0) return
  const sold = await listSoldLimits(deps.db, { instanceIds: [instance.id] }, new Date().toISOString())
  const waiting = await listNotInForce(
    deps.db,
    instance.id,
    sold.filter(({ code, enforcement }) => byCommand.has(code) && enforcement !== 'soft'),
  )
  for (const limit of waiting) await tryToSet(deps, { instance, limit }, ctx)
}

/** What a look at limits that could not be set came to. */
export interface SetAgain {
  readonly failed: readonly string[]
  /** Something is to be set still: it is tried again at the next look. */
  readonly isAnyLost: boolean
}

const instancesAtOnce = 8

/** Sets again what could not be set, or was lost; what is not in force for too long is told to a person. */
export async function setLostLimits(
  deps: ServerDependencies,
  instances: readonly DeployedInstance[],
  ctx: RunnerContext,
): Promise<SetAgain> {
  const lost = await listLost(
    deps.db,
    instances.map(({ id }) => id),
  )
  if (lost.length === 0) return { failed: [], isAnyLost: false }
  const ids = lost.map(({ instanceId }) => instanceId)
  const sold = await listSoldLimits(deps.db, { instanceIds: ids }, new Date().toISOString())
  const known = new Map(sold.map((limit) => [keyOfLimit(limit), limit]))
  const failed: string[] = []
  const lostOf = Map.groupBy(lost, ({ instanceId }) => instanceId)
  await eachOf(instances, instancesAtOnce, async (instance) => {
    for (const { code } of lostOf.get(instance.id) ?? []) {
      const limit = known.get(keyOfLimit({ instanceId: instance.id, code }))
      const failure = limit && (await tryToSet(deps, { instance, limit }, ctx))
      if (limit === undefined) await giveUpSetting(deps.db, { instanceId: instance.id, code })
      else if (failure !== undefined) failed.push(`${instance.planned.instance}: ${code}: ${failure}`)
    }
  })
  return { failed, isAnyLost: failed.length > 0 }
}

/** @returns why not, where it could not be set; that is written down, and told once it lasts */
async function tryToSet(
  deps: ServerDependencies,
  { instance, limit }: { instance: DeployedInstance; limit: SoldLimit },
  ctx: RunnerContext,
): Promise<string | undefined> {
  try {
    await setLimit(deps, { instance, toSet: limit }, ctx)
    return undefined
  } catch (error) {
    const detail = messageOf(error).slice(0, 200)
    const failed = { instanceId: instance.id, code: limit.code, quantity: limit.quantity, detail }
    const since = await noteNotInForce(deps.db, failed)
    const lostForMs = Date.now() - Date.parse(since)
    if (lostForMs >= (deps.limitPatienceMs ?? limitPatienceMs)) await openLimitTask(deps.db, failed)
    return detail
  }
}

/** No command runs in what a limit has stopped: it is set, and asked, once it runs again. */
export function isStopped({ planned }: DeployedInstance): boolean {
  return isHeldBy(planned.holds, 'stop')
}

/** @throws `limit_not_enforceable` */
export function findEnforceable(limits: readonly LimitDefinition[], code: string): LimitDefinition {
  const found = limits.find((limit) => limit.code === code)
  if (found !== undefined) return found
  throw new BusinessError(
    'limit_not_enforceable',
    `The application has nothing that holds the limit ${code}; only its operator can.`,
  )
}

/** The container of the service gets what is sold, while it runs where the engine can. */
async function setResource(
  deps: ServerDependencies,
  of: { readonly instance: DeployedInstance; readonly limit: ResourceLimit; readonly toSet: ToSet },
  ctx: RunnerContext,
): Promise<void> {
  const { instance, limit, toSet } = of
  const { id } = instance
  const limits = { [limit.service]: soldResource(limit.resource, toSet.quantity, toSet.unit ?? 'piece') }
  await withInstanceLock(deps.db, id, async () => {
    await setContainerLimits(deps.db, id, limits)
    // What is stopped is made as planned once nothing stops it.
    if (!isStopped(await getDeployedInstance(deps.db, id))) await makeAsPlanned(deps, id, ctx)
  })
}

function toRows(observed: LimitObservation) {
  return observed.commands.map((command) => ({
    command: command.argv,
    exitCode: command.exitCode,
    answer: `${command.stdout}${command.stderr}`.trim(),
    durationMs: command.durationMs,
  }))
}
