import { findAskedLog, keepLogLines } from '#db/log-excerpt.ts'
import { getDeployedInstance } from '#db/instance.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { openSecrets } from './secret.ts'

/** Logs of containers. */
export function createLogActivities({ db, runner, installationKey }: ServerDependencies) {
  return {
    /** Lays the lines where the one who asked fetches them; nobody waits any more: nothing is read. */
    async readLog({ requestId }: { requestId: string }): Promise<void> {
      const asked = await findAskedLog(db, requestId)
      if (asked === undefined) return
      const instance = await getDeployedInstance(db, asked.instanceId)
      const ref = { definition: instance.definition, instance: instance.planned }
      const secrets = await openSecrets(db, installationKey, instance)
      const lines = await withRunnerContext((ctx) => runner.readLog(ref, asked.request, ctx), { secrets })
      await keepLogLines(db, requestId, lines)
    },
  }
}
