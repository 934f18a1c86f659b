import { setContainerLimits } from '#db/instance-configuration.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { listNotInForce, noteSoldLimit, recordLimit } from '#db/limit.ts'
import { readUsed } from '#db/limit-use.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import type { LimitDefinition, ResourceLimit } from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { isHeldBy } from '#domain/limit-hold.ts'
import { soldResource } from '#domain/resource-limit.ts'
import type { LimitObservation, RunnerContext } from '#domain/runner.ts'
import type { Enforcement } from '#domain/terms.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { makeAsPlanned } from './replacement.ts'
import { openSecrets } from './secret.ts'

export interface LimitTicket {
  /** `inst_…` */
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
  /** Of the quantity; left out in histories older than limits that are held from outside. */
  readonly unit?: string
  readonly enforcement?: Enforcement
}

/** Sold limits in the instance: set, read back, logged with the answer. Commands set a value, they never add to one. */
export function createLimitActivities(deps: ServerDependencies) {
  const { db, runner, installationKey } = deps
  return {
    /** What is only warned of, or held from outside once it is reached, is written down and set nowhere. */
    async applyLimit(input: LimitTicket): Promise<{ inForce: number; inUse: number }> {
      const instance = await getDeployedInstance(db, decodeId('instance', input.instanceId))
      const row = { ...input, instanceId: instance.id }
      if (input.enforcement === 'soft') {
        await recordLimit(db, { ...row, inForce: null, commands: [] })
        return { inForce: 0, inUse: 0 }
      }
      const limit = findEnforceable(instance.definition.limits, input.code)
      if ('resource' in limit) await setResource(deps, instance, limit, input)
      if ('set' in limit && isStopped(instance)) {
        await noteSoldLimit(db, row)
        return { inForce: 0, inUse: await readUsed(db, row) }
      }
      if (!('set' in limit)) {
        await recordLimit(db, { ...row, inForce: Number(input.quantity), commands: [] })
        return { inForce: Number(input.quantity), inUse: await readUsed(db, row) }
      }
      const secrets = await openSecrets(db, installationKey, instance)
      const observed = await withRunnerContext(
        async (ctx) => await setByCommand(deps, { instance, limit: row }, ctx),
        { secrets },
      )
      return { inForce: observed.inForce, inUse: observed.inUse }
    },

    /** How much of a limit is in use: a downgrade below it is refused. */
    async readLimit(input: {
      instanceId: string
      code: string
    }): Promise<{ inForce: number; inUse: number }> {
      const instance = await getDeployedInstance(db, decodeId('instance', input.instanceId))
      const limit = findEnforceable(instance.definition.limits, input.code)
      if (!('use' in limit) || isStopped(instance))
        return { inForce: 0, inUse: await readUsed(db, { instanceId: instance.id, code: input.code }) }
      const ref = { definition: instance.definition, instance: instance.planned }
      const secrets = await openSecrets(db, installationKey, instance)
      const observed = await withRunnerContext((ctx) => runner.readLimit(ref, input.code, ctx), { secrets })
      return { inForce: observed.inForce, inUse: observed.inUse }
    },
  }
}

async function setByCommand(
  { db, runner }: Pick<ServerDependencies, 'db' | 'runner'>,
  { instance, limit }: { instance: DeployedInstance; limit: LimitTicket },
  ctx: RunnerContext,
): Promise<LimitObservation> {
  const ref = { definition: instance.definition, instance: instance.planned }
  const value = { code: limit.code, value: Number(limit.quantity) }
  const observed = await runner.applyLimit(ref, value, ctx)
  await recordLimit(db, { ...limit, inForce: observed.inForce, commands: toRows(observed) })
  return observed
}

/** Sets by command what was sold while an instance was stopped, and could not be set then. */
export async function applyWaitingLimits(
  deps: Pick<ServerDependencies, 'db' | 'runner'>,
  instance: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const byCommand = new Set(instance.definition.limits.flatMap((limit) => ('set' in limit ? limit.code : [])))
  if (byCommand.size === 0) return
  const { db } = deps
  const sold = await listSoldLimits(db, { instanceIds: [instance.id] }, new Date().toISOString())
  const waiting = await listNotInForce(
    db,
    instance.id,
    sold.filter(({ code, enforcement }) => byCommand.has(code) && enforcement !== 'soft'),
  )
  for (const limit of waiting) await setByCommand(deps, { instance, limit }, ctx)
}

/** No command runs in what a limit has stopped: it is set, and asked, once it runs again. */
function isStopped({ planned }: DeployedInstance): boolean {
  return isHeldBy(planned.holds, 'stop')
}

function findEnforceable(limits: readonly LimitDefinition[], code: string): LimitDefinition {
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
  { id }: DeployedInstance,
  { service, resource }: ResourceLimit,
  { quantity, unit }: LimitTicket,
): Promise<void> {
  const limits = { [service]: soldResource(resource, quantity, unit ?? 'piece') }
  await withRunnerContext(
    async (ctx) =>
      await withInstanceLock(deps.db, id, async () => {
        await setContainerLimits(deps.db, id, limits)
        // What is stopped is made as planned once nothing stops it.
        if (!isStopped(await getDeployedInstance(deps.db, id))) await makeAsPlanned(deps, id, ctx)
      }),
  )
}

function toRows(observed: LimitObservation) {
  return observed.commands.map((command) => ({
    command: command.argv,
    exitCode: command.exitCode,
    answer: `${command.stdout}${command.stderr}`.trim(),
    durationMs: command.durationMs,
  }))
}
