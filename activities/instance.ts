import { listDeployedInstances, setInstanceState } from '#db/instance.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import { decodeId } from '#domain/identifier.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { startAndSeeReady } from './instance-start.ts'
import { openSecrets } from './secret.ts'

/** Suspension and its end: what counts is what was observed afterwards. */
export function createInstanceActivities(deps: ServerDependencies) {
  const { db, runner, installationKey } = deps
  return {
    async stopInstances(input: { subscriptionId: string }): Promise<{ stopped: number }> {
      const instances = await listDeployedInstances(db, {
        subscriptionId: decodeId('subscription', input.subscriptionId),
      })
      for (const instance of instances.toReversed()) {
        const ref = { definition: instance.definition, instance: instance.planned }
        // Until its state says so, a stopped container looks like one to be repaired.
        await withInstanceLock(db, instance.id, async () => {
          const observed = await withRunnerContext((ctx) => runner.stop(ref, ctx))
          if (observed.containers.length > 0 && !observed.isStopped)
            throw new Error(`${instance.planned.instance} was told to stop and still runs`)
          await setInstanceState(db, instance.id, 'suspended')
        })
      }
      return { stopped: instances.length }
    },

    /** Starts in order and waits until ready, as after a build. */
    async startInstances(input: { subscriptionId: string }): Promise<{ started: number }> {
      const instances = await listDeployedInstances(db, {
        subscriptionId: decodeId('subscription', input.subscriptionId),
      })
      for (const instance of instances) {
        const secrets = await openSecrets(db, installationKey, instance)
        await withInstanceLock(db, instance.id, async () => {
          await withRunnerContext(async (ctx) => await startAndSeeReady(deps, instance, ctx), { secrets })
          await setInstanceState(db, instance.id, 'running')
        })
      }
      return { started: instances.length }
    },
  }
}
