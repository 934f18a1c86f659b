import type { DeployedInstance } from '#db/instance.ts'
import { foreseeLimits } from '#db/limit-hold.ts'
import { noteLimitUses, withDefinitions, type DefinedLimit } from '#db/limit-use.ts'
import { warnOfLimits } from '#db/usage-warning.ts'
import { keyOfLimit, listSoldLimits } from '#db/sold-limit.ts'
import { listFitting } from '#db/waiting-decision.ts'
import { messageOf } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { isHeldBy, watchedMetrics } from '#domain/limit-hold.ts'
import type { Runner, RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { eachOf } from './each-of.ts'
import { createFittingNews } from './fitting-news.ts'

/** What a look at the sold limits of a server's instances found. */
export interface SampledLimits {
  /** Subscriptions of which something is to be held or let go, or a change fits that waited: `sub_…`. */
  readonly crossed: readonly string[]
  readonly failed: readonly string[]
  /** Something is held from outside by what was read. */
  readonly isWatched: boolean
}

/** Of all servers that this process works for: each look is of the instances of one. */
const news = createFittingNews()

/** So many commands at once, whether they ask or slow down. */
const commandsAtOnce = 8

/**
 * Measures what is used of every sold limit, after the readings of the same tick were stored, and finds where something follows from
 * it. What follows is decided and done by the workflow of the subscription; a crossing that is seen again is told again.
 */
export async function sampleLimits(
  { db, runner }: Pick<ServerDependencies, 'db' | 'runner'>,
  instances: readonly DeployedInstance[],
  ctx: RunnerContext,
): Promise<SampledLimits> {
  const now = new Date().toISOString()
  const sold = await listSoldLimits(db, { instanceIds: instances.map(({ id }) => id) }, now)
  const defined = withDefinitions(instances, sold)
  const failed: string[] = []
  const counted = new Map<string, string>()
  await eachOf(countable(defined), commandsAtOnce, async ({ instance, limit }) => {
    const ref = { definition: instance.definition, instance: instance.planned }
    try {
      counted.set(keyOfLimit(limit), String(await runner.readUse(ref, limit.code, ctx)))
    } catch (error) {
      failed.push(`${instance.planned.instance}: ${limit.code}: ${messageOf(error).slice(0, 200)}`)
    }
  })
  failed.push(...(await throttleAgain(runner, instances, ctx)))
  await warnOfLimits(db, sold, await noteLimitUses(db, instances, sold, counted), now)
  const decisions = await foreseeLimits(db, instances, sold)
  const crossed = instances.filter(({ id }) => {
    const decision = decisions.get(id)
    return decision !== undefined && (decision.changed.length > 0 || decision.isToBeHeld)
  })
  const instanceIds = instances.map(({ id }) => id)
  const fitting = news.of(instanceIds, await listFitting(db, instanceIds), Date.parse(now))
  const ids = new Set([...crossed.map(({ subscriptionId }) => subscriptionId), ...fitting])
  return {
    crossed: [...ids].map((id) => encodeId('subscription', id)),
    failed,
    isWatched: watchedMetrics(defined).size > 0,
  }
}

/** Limits whose use the application itself counts; one that is stopped counts nothing. */
function countable(defined: readonly DefinedLimit[]) {
  return defined.filter(
    ({ instance, definition }) => 'use' in definition && !isHeldBy(instance.planned.holds, 'stop'),
  )
}

/** A container that was started since sends freely. */
async function throttleAgain(
  runner: Runner,
  instances: readonly DeployedInstance[],
  ctx: RunnerContext,
): Promise<string[]> {
  const failed: string[] = []
  const slowed = instances.filter(({ planned }) => isHeldBy(planned.holds, 'throttle_network'))
  await eachOf(slowed, commandsAtOnce, async ({ definition, planned }) => {
    try {
      await runner.throttle({ definition, instance: planned }, ctx)
    } catch (error) {
      failed.push(`${planned.instance}: ${messageOf(error).slice(0, 200)}`)
    }
  })
  return failed
}
