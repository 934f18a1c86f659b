import type { DeployedInstance } from '#db/instance.ts'
import { withDefinitions } from '#db/limit-use.ts'
import { listDue } from '#db/metric-look.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import { decodeId } from '#domain/identifier.ts'
import { watchedMetrics } from '#domain/limit-hold.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { eachOf } from './each-of.ts'
import { withRunnerContext } from './failure.ts'
import { setLostLimits } from './limit-setting.ts'
import { sampleLimits, type SampledLimits } from './limit-sample.ts'
import { instancesAtOnce, listSampled, readDue, readInstance } from './usage.ts'

/** Between ticks: limits that nothing but a reading shows to be crossed, and metrics whose own interval is over. */
export function createLimitLookActivities(deps: ServerDependencies) {
  return {
    /** Reads the metrics that are due, and those of such limits, and finds what follows. Nothing else is read. */
    async lookAtLimits(input: { serverId: string }): Promise<SampledLimits> {
      return await withRunnerContext(
        async (ctx) => await lookAtLimits(deps, decodeId('server', input.serverId), ctx),
      )
    },
  }
}

export async function lookAtLimits(
  deps: ServerDependencies,
  serverId: string,
  ctx: RunnerContext,
): Promise<SampledLimits> {
  const { db, runner } = deps
  const { instances, clocks } = await listSampled(db, serverId)
  const nowMs = Date.now()
  const due = await listDue(db, instances, { nowMs, isTick: false })
  const { failed } = await readDue(deps, { due, clocks, nowMs }, ctx)
  const watched = await listWatched(db, instances)
  await eachOf(watched, instancesAtOnce, async (instance) => {
    const read = due.find((one) => one.instance.id === instance.id)?.instance.definition.metrics ?? []
    const metrics = instance.definition.metrics.filter(({ code }) => read.every((one) => one.code !== code))
    if (metrics.length === 0) return
    const rest = { ...instance, definition: { ...instance.definition, metrics } }
    const at = { isOpening: false, readAt: clocks.get(instance.subscriptionId) ?? null }
    // What cannot be read is told at the next reading of everything.
    await readInstance(deps, rest, at, ctx)
  })
  const again = await setLostLimits(deps, instances, ctx)
  // With all of their metrics: what else is sold of them is measured by its own, too.
  const ids = new Set(watched.map(({ id }) => id))
  const limits = await sampleLimits(
    { db, runner },
    instances.filter(({ id }) => ids.has(id)),
    ctx,
  )
  return { ...limits, failed: [...failed, ...again.failed, ...limits.failed] }
}

/** Each with those of its metrics alone by which a sold limit is held from outside. */
async function listWatched(
  db: ServerDependencies['db'],
  instances: readonly DeployedInstance[],
): Promise<DeployedInstance[]> {
  const ids = instances.map(({ id }) => id)
  const sold = await listSoldLimits(db, { instanceIds: ids }, new Date().toISOString())
  const bySold = Map.groupBy(withDefinitions(instances, sold), ({ instance }) => instance)
  return [...bySold].flatMap(([instance, limits]) => {
    const codes = watchedMetrics(limits)
    if (codes.size === 0) return []
    const metrics = instance.definition.metrics.filter(({ code }) => codes.has(code))
    return { ...instance, definition: { ...instance.definition, metrics } }
  })
}
