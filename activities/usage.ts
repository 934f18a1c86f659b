import { Context } from '@temporalio/activity'
import { getSubscription } from '#db/subscription.ts'
import type { Db } from '#db/database.ts'
import { listDeployedInstances, type DeployedInstance } from '#db/instance.ts'
import { noteSampled } from '#db/server-sighting.ts'
import { readTestClocks } from '#db/server.ts'
import { openTask } from '#db/task.ts'
import { insertReadings } from '#db/usage.ts'
import { decodeId } from '#domain/identifier.ts'
import type { Runner, RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'

export interface SampleResult {
  readonly instances: number
  readonly readings: number
  readonly failed: readonly string[]
}

/** Readings: of one subscription at its turning points, and of a whole server at each tick. */
export function createUsageActivities({ db, runner }: ServerDependencies) {
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
        try {
          readings += await withRunnerContext((ctx) => readInstance(db, runner, instance, at, ctx))
        } catch (error) {
          if (Context.current().info.attempt < readingTries || !(await doesEngineAnswer(runner))) throw error
          await openMetricTask(db, subscription, instance, error)
        }
      }
      return { readings }
    },

    /**
     * One pass over all instances of a server; one that fails stops no other. A subscription is read from its opening reading
     * on, with which it is active: a reading before it would bill what was counted while it was built.
     */
    async sampleServer(input: { serverId: string }): Promise<SampleResult> {
      const serverId = decodeId('server', input.serverId)
      const instances = await listDeployedInstances(db, {
        serverId,
        states: ['running', 'limited'],
        phase: 'active',
      })
      const clocks = await readTestClocks(
        db,
        instances.map((instance) => instance.subscriptionId),
      )
      const failed: string[] = []
      let readings = 0
      await withRunnerContext(async (ctx) => {
        for (const instance of instances) {
          const at = { isOpening: false, readAt: clocks.get(instance.subscriptionId) ?? null }
          const stored = await readInstance(db, runner, instance, at, ctx).catch((error: unknown) => {
            failed.push(
              `${instance.planned.instance}: ${error instanceof Error ? error.message : String(error)}`.slice(
                0,
                200,
              ),
            )
            return 0
          })
          readings += stored
          ctx.onProgress(`read ${instance.planned.instance}`)
        }
      })
      await noteSampled(db, serverId)
      return { instances: instances.length, readings, failed }
    },
  }
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

async function openMetricTask(
  db: Db,
  subscription: { id: string; title: string },
  instance: DeployedInstance,
  error: unknown,
): Promise<void> {
  await openTask(db, {
    kind: 'metric_failed',
    subjectKind: 'subscription',
    subjectId: subscription.id,
    subject: `${subscription.title}: what ${instance.planned.name} used could not be read`,
    detail: `${error instanceof Error ? error.message : String(error)} Usage since the last reading is not billed.`,
  })
}

async function readInstance(
  db: Db,
  runner: Runner,
  instance: DeployedInstance,
  at: { isOpening: boolean; readAt: string | null },
  ctx: RunnerContext,
): Promise<number> {
  const sampledAt = new Date().toISOString()
  const read = await runner.readMetrics({ definition: instance.definition, instance: instance.planned }, ctx)
  return await insertReadings(
    db,
    { instanceId: instance.id, isOpening: at.isOpening, sampledAt, readAt: at.readAt ?? sampledAt },
    read,
  )
}
