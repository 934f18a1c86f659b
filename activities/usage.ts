import { Context } from '@temporalio/activity'
import { getSubscription } from '#db/subscription.ts'
import { listDeployedInstances, type DeployedInstance } from '#db/instance.ts'
import { listFailingInstances, noteMetricLook, openMetricTask } from '#db/metric-failure.ts'
import { listDue, noteLooks, type DueReading } from '#db/metric-look.ts'
import { noteSampled } from '#db/server-sighting.ts'
import { readTestClocks } from '#db/server.ts'
import { insertReadings, readNewestInstants, readNewestReadings } from '#db/usage.ts'
import { goesOnFromReadings, keepsHistory } from '#domain/application.ts'
import { decodeId } from '#domain/identifier.ts'
import type { EarlierReadings, MetricsRead, Runner, RunnerContext } from '#domain/runner.ts'
import { messageOf } from '#domain/errors.ts'
import { lookInterval } from '#domain/sampling-tick.ts'
import { reachDataSources } from './data-source.ts'
import type { ServerDependencies } from './dependencies.ts'
import { eachOf } from './each-of.ts'
import { withRunnerContext } from './failure.ts'
import { setLostLimits } from './limit-setting.ts'
import { sampleLimits } from './limit-sample.ts'

export interface SampleResult {
  readonly instances: number
  readonly readings: number
  readonly failed: readonly string[]
  /** Subscriptions at a limit of which something is to be done; left out in histories older than that. */
  readonly crossed?: readonly string[]
  /** A limit is held from outside by what is read, and is looked at meanwhile; left out in histories older than that. */
  readonly isWatched?: boolean
  /** How often a look between ticks is needed for metrics that are read more or less often than others. */
  readonly lookEveryMs?: number
}

/** Readings: of one subscription at its turning points, and of a whole server at each tick. */
export function createUsageActivities(deps: ServerDependencies) {
  const { db, runner } = deps
  return {
    /** Reads what a subscription's instances have used. An opening reading is where counting starts. */
    async takeReadings(input: {
      subscriptionId: string
      isOpening: boolean
      nowMs: number
    }): Promise<{ readings: number }> {
      const subscription = await getSubscription(db, decodeId('subscription', input.subscriptionId))
      const instances = await listDeployedInstances(db, { subscriptionId: subscription.id })
      const at = {
        isOpening: input.isOpening,
        readAt: subscription.test_clock_id ? new Date(input.nowMs).toISOString() : null,
      }
      let readings = 0
      for (const instance of instances.filter((row) => row.state !== 'destroyed')) {
        const { stored, failures } = await withRunnerContext((ctx) => readInstance(deps, instance, at, ctx))
        readings += stored
        const [failure] = failures
        if (failure === undefined) continue
        const mayYetSucceed =
          Context.current().info.attempt < readingTries || !(await doesEngineAnswer(runner))
        if (mayYetSucceed) throw new Error(`metric ${failure.metric}: ${failure.detail}`)
        const of = { subscriptionId: subscription.id, instanceName: instance.planned.name }
        await openMetricTask(db, of, failure)
      }
      return { readings }
    },

    /**
     * One pass over all instances of a server; one that fails stops no other. A subscription is read from its opening reading
     * on, with which it is active: a reading before it would bill what was counted while it was built.
     */
    async sampleServer(input: { serverId: string }): Promise<SampleResult> {
      const serverId = decodeId('server', input.serverId)
      const sample = await withRunnerContext((ctx) => readServer(deps, serverId, ctx))
      await noteSampled(db, serverId)
      return sample
    },
  }
}

/** What of a server is looked at, with the time of those on test clocks, by subscription. */
export async function listSampled(db: ServerDependencies['db'], serverId: string) {
  const instances = await listDeployedInstances(db, {
    serverId,
    states: ['running', 'limited'],
    phase: 'active',
  })
  const clocks = await readTestClocks(
    db,
    instances.map((instance) => instance.subscriptionId),
  )
  return { instances, clocks }
}

/** At a tick: everything is read that has no interval of its own, and of the rest what is due. */
export async function readServer(
  deps: ServerDependencies,
  serverId: string,
  ctx: RunnerContext,
): Promise<SampleResult> {
  const { db, runner } = deps
  const nowMs = Date.now()
  const { instances, clocks } = await listSampled(db, serverId)
  const due = await listDue(db, instances, { nowMs, isTick: true })
  const { readings, failed } = await readDue(deps, { due, clocks, nowMs }, ctx)
  const again = await setLostLimits(deps, instances, ctx)
  const limits = await sampleLimits({ db, runner }, instances, ctx)
  const isWatched = limits.isWatched || again.isAnyLost
  const lookEveryMs = lookInterval({
    intervalsS: instances.flatMap(({ definition }) =>
      definition.metrics.flatMap(({ intervalS }) => intervalS ?? []),
    ),
    hasWatchedLimits: isWatched,
  })
  return {
    instances: instances.length,
    readings,
    failed: [...failed, ...again.failed, ...limits.failed],
    crossed: limits.crossed,
    isWatched: isWatched || lookEveryMs !== undefined,
    ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
  }
}

/** What is read of each instance is stored as soon as it is there: one that hangs holds up no other. */
export async function readDue(
  deps: ServerDependencies,
  of: {
    readonly due: readonly DueReading<DeployedInstance>[]
    readonly clocks: ReadonlyMap<string, string>
    readonly nowMs: number
  },
  ctx: RunnerContext,
): Promise<Pick<SampleResult, 'readings' | 'failed'>> {
  const { db } = deps
  const failing = await listFailingInstances(
    db,
    of.due.map(({ instance }) => instance.id),
  )
  const failed: string[] = []
  let readings = 0
  await eachOf(of.due, instancesAtOnce, async ({ instance, timed, unread }) => {
    const at = { isOpening: false, readAt: of.clocks.get(instance.subscriptionId) ?? null }
    const { stored, failures } = await readInstance(deps, instance, at, ctx)
    await noteLooks(db, { instanceId: instance.id, metrics: timed, lookedAtMs: of.nowMs })
    // Most are read as they were before, and leave nothing to be noted.
    if (failures.length > 0 || failing.has(instance.id))
      await noteMetricLook(db, {
        instanceId: instance.id,
        instanceName: instance.planned.name,
        subscriptionId: instance.subscriptionId,
        failures,
        unread,
        now: new Date().toISOString(),
      })
    readings += stored
    failed.push(
      ...failures.map((one) => `${instance.planned.instance}: ${one.metric}: ${one.detail}`.slice(0, 200)),
    )
    ctx.onProgress(`read ${instance.planned.instance}`)
  })
  return { readings, failed }
}

/** How often a reading is tried while the engine answers: a broken metric holds up neither a beginning nor an end. */
const readingTries = 5

async function doesEngineAnswer(runner: Runner): Promise<boolean> {
  return await withRunnerContext(
    async (ctx) =>
      await runner.testConnection(ctx).then(
        () => true,
        () => false,
      ),
  )
}

interface Look {
  readonly stored: number
  readonly failures: MetricsRead['failures']
}

/** What an instance of an active subscription has used so far, before its containers stop; in the time of its test clock, if it has one. */
export async function readUsage(
  deps: ServerDependencies,
  instance: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const clocks = await readTestClocks(deps.db, [instance.subscriptionId])
  const readAt = clocks.get(instance.subscriptionId) ?? null
  // What cannot be read is no reason not to help an instance that hangs.
  await readInstance(deps, instance, { isOpening: false, readAt }, ctx)
}

/** Stores what can be read; what cannot is told. */
export async function readInstance(
  deps: ServerDependencies,
  instance: DeployedInstance,
  at: { isOpening: boolean; readAt: string | null },
  ctx: RunnerContext,
): Promise<Look> {
  const { db, runner } = deps
  const sampledAt = new Date().toISOString()
  const ref = { definition: instance.definition, instance: instance.planned }
  const since = await historyFrom(db, instance, at)
  const dataSources = await reachDataSources(deps, instance.definition)
  const { readings, failures } = await runner
    .readMetrics(ref, ctx, since, await earlierReadings(db, instance, sampledAt), dataSources)
    .catch((error: unknown): MetricsRead => {
      ctx.abortSignal.throwIfAborted()
      const detail = messageOf(error)
      return { readings: [], failures: [{ metric: 'all', detail }] }
    })
  let stored = 0
  for (const [ofPast, together] of Map.groupBy(readings, (reading) => reading.at)) {
    const own = since !== undefined && ofPast !== undefined ? ofPast : null
    stored += await insertReadings(
      db,
      {
        instanceId: instance.id,
        isOpening: at.isOpening,
        sampledAt: own ?? sampledAt,
        readAt: own ?? at.readAt ?? sampledAt,
      },
      together,
    )
  }
  return { stored, failures }
}

/**
 * From when on missed readings are filled in: not before an opening reading, where counting starts anew, and not where time is a
 * test clock's, which no source knows.
 */
async function historyFrom(
  db: ServerDependencies['db'],
  { id, definition }: DeployedInstance,
  at: { isOpening: boolean; readAt: string | null },
): Promise<ReadonlyMap<string, string> | undefined> {
  if (at.isOpening || at.readAt !== null || !definition.metrics.some(keepsHistory)) return undefined
  return await readNewestInstants(db, id)
}

/** Looked up only where a source goes on from what was stored before. */
async function earlierReadings(
  db: ServerDependencies['db'],
  { id, definition }: DeployedInstance,
  sampledAt: string,
): Promise<EarlierReadings> {
  const goesOn = definition.metrics.some(goesOnFromReadings)
  return { sampledAt, newest: goesOn ? await readNewestReadings(db, id) : new Map() }
}

/** So many at once that slow sources of some do not make the others wait, and not so many that the engine does. */
export const instancesAtOnce = 16
