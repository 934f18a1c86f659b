import { listExpiredBackups, openBackup, recordDeletedBackup } from '#db/backup.ts'
import { finishStep, getBuildStep } from '#db/build-step.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { saveInstance } from './instance-copy.ts'
import { openSecrets } from './secret.ts'
import { recorded, showProgress } from './step-record.ts'

/** The last backup of an instance, and the end of those that were kept long enough. */
export function createBackupActivities({ db, runner, installationKey }: ServerDependencies) {
  return {
    /** A step of an unbuild order: done means that every copy was read back whole. What an earlier try took is not taken again. */
    async takeBackup(input: { stepId: string }): Promise<{ detail: string }> {
      const step = await getBuildStep(db, decodeId('buildStep', input.stepId))
      const { plan } = step
      if (plan.kind !== 'backup') throw new Error(`a step of kind ${plan.kind} is no backup`)
      return await recorded(db, step, async () => {
        const backup = await openBackup(db, step)
        const instance = await getDeployedInstance(db, step.instanceId)
        // What a command writes may repeat them, and is cleaned of them.
        const secrets = await openSecrets(db, installationKey, instance)
        const detail = await withRunnerContext(
          (ctx) => saveInstance({ db, runner }, { plan, backup, instance }, ctx),
          { secrets, onProgress: showProgress(db, step.id) },
        )
        await finishStep(db, step.id, detail)
        return { detail }
      })
    },

    /** Copies first, then the row: one that could not be deleted is tried again. */
    async deleteExpiredBackups(input: { serverId: string }): Promise<{ deleted: string[] }> {
      const serverId = decodeId('server', input.serverId)
      const expired = await listExpiredBackups(db, { serverId, now: new Date().toISOString() })
      await withRunnerContext(async (ctx) => {
        for (const backup of expired) {
          for (const { location } of backup.copies) await runner.deleteCopy(location, ctx)
          await recordDeletedBackup(db, backup.id, new Date().toISOString())
        }
      })
      return { deleted: expired.map(({ id }) => encodeId('backup', id)) }
    },
  }
}
