import { ApplicationFailure } from '@temporalio/activity'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { noteNotInForce } from '#db/limit-in-force.ts'
import { listNotInForce } from '#db/limit.ts'
import { readUsed } from '#db/limit-use.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { findEnforceable, isStopped, setLimit, type ToSet } from './limit-setting.ts'
import { openSecrets } from './secret.ts'

export interface LimitTicket extends ToSet {
  /** `inst_…` */
  readonly instanceId: string
}

/** Sold limits in the instance: set, read back, logged with the answer. */
export function createLimitActivities(deps: ServerDependencies) {
  const { db, runner, installationKey } = deps
  return {
    /** @throws as `applySold` */
    async applyLimit(input: AppliedLimit): Promise<{ inForce: number; inUse: number }> {
      return await withRunnerContext(async (ctx) => await applySold(deps, input, ctx))
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

/** Left out where it is to be sold, and in histories older than what is tried again. */
type AppliedLimit = LimitTicket & { readonly isSold?: boolean }

/**
 * Sold already, it has to hold: a refusal of the application is tried again, too. Of what is to be sold it is the answer. Whatever
 * fails, what is in force is not known until it is set again.
 */
export async function applySold(
  deps: ServerDependencies,
  input: AppliedLimit,
  ctx: RunnerContext,
): Promise<{ inForce: number; inUse: number }> {
  const { isSold = false, instanceId, ...toSet } = input
  const instance = await getDeployedInstance(deps.db, decodeId('instance', instanceId))
  try {
    return await setLimit(deps, { instance, toSet }, ctx)
  } catch (error) {
    if (error instanceof BusinessError && error.code === 'limit_not_enforceable') throw error
    const { code, quantity } = toSet
    if (isSold || !(await isAsBefore(deps, { instance, code }, ctx)))
      await noteNotInForce(deps.db, { instanceId: instance.id, code, quantity, detail: messageOf(error) })
    throw isSold ? toRetried(error) : error
  }
}

/** A refusal that may not be the last word. */
function toRetried(error: unknown): unknown {
  if (!(error instanceof BusinessError)) return error
  return ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: false })
}

/** Whether what was in force still is, though more of it was refused. */
async function isAsBefore(
  { db, runner }: ServerDependencies,
  { instance, code }: { instance: DeployedInstance; code: string },
  ctx: RunnerContext,
): Promise<boolean> {
  try {
    const ref = { definition: instance.definition, instance: instance.planned }
    const { inForce } = await runner.readLimit(ref, code, ctx)
    const of = { instanceId: instance.id, code, quantity: String(inForce) }
    return (await listNotInForce(db, instance.id, [of])).length === 0
  } catch {
    return false
  }
}
