import { getDeployedInstance, setInstanceState, type DeployedInstance } from '#db/instance.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import {
  closeRestore,
  findSavedBefore,
  openRestore,
  openSavedBefore,
  readRestore,
  type AskedRestore,
  type Restore,
} from '#db/restore.ts'
import { planBackupBefore, planRestoreInPlace } from '#domain/backup-plan.ts'
import type { RestoreState } from '#domain/backup.ts'
import { planBuild } from '#domain/build-plan.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { readCommandNote } from '#db/command-note.ts'
import type { DatabaseDependencies, ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { saveInstance } from './instance-copy.ts'
import { carryOutSteps, startedAnyway } from './instance-start.ts'
import { openSecrets } from './secret.ts'
import { toInstant, type CommandInput } from './command.ts'

/** What a workflow knows of a restore in place. */
export interface RestoreTicket {
  /** `rst_…` */
  readonly restoreId: string
  /** `srv_…` */
  readonly serverId: string
}

export function toRestoreTicket({ id, serverId }: Restore): RestoreTicket {
  return { restoreId: encodeId('restore', id), serverId: encodeId('server', serverId) }
}

/** Restores in place in rows: begun, and closed. */
export function createRestoreActivities({ db }: DatabaseDependencies) {
  return {
    async openRestore(input: CommandInput & { backupId: string }): Promise<RestoreTicket> {
      const { requestId } = input
      const subscriptionId = decodeId('subscription', input.subscriptionId)
      const { actor } = await readCommandNote(db, { subscriptionId, requestId })
      const backupId = decodeId('backup', input.backupId)
      const asked: AskedRestore = { subscriptionId, requestId, backupId, actor, now: toInstant(input.nowMs) }
      return toRestoreTicket(await openRestore(db, asked))
    },

    async closeRestore(input: {
      restoreId: string
      state: Exclude<RestoreState, 'running'>
      failure?: { code: string; detail: string }
      nowMs: number
    }): Promise<void> {
      const { restoreId, nowMs, ...to } = input
      await closeRestore(db, decodeId('restore', restoreId), { ...to, now: toInstant(nowMs) })
    },
  }
}

/** What a restore in place does beside the engine. Each may be done again at any time, and then does the whole of it. */
export function createServerRestoreActivities(deps: ServerDependencies) {
  const { db, runner } = deps
  return {
    /** What is asked for is read back before anything is stopped; what is there is saved, and stays stopped from then on. */
    async saveBeforeRestore(input: { restoreId: string }): Promise<{ detail: string }> {
      return await withRestored(deps, input.restoreId, async ({ restore, instance }, ctx) => {
        const { copies } = restore.backup
        for (const copy of copies) await runner.verifyCopy(copy, ctx)
        const plan = planBackupBefore(instance.definition, instance.planned, copies)
        if (plan === null) return { detail: 'nothing to save' }
        await setInstanceState(db, instance.id, 'suspended')
        const backup = await openSavedBefore(db, restore)
        return { detail: await saveInstance({ db, runner }, { plan, backup, instance }, ctx) }
      })
    },

    /** Puts the backup in place, or what was there before; where that was not saved, nothing was replaced. */
    async replaceContent(input: { restoreId: string; by: 'backup' | 'before' }): Promise<{ detail: string }> {
      return await withRestored(deps, input.restoreId, async ({ restore, instance }, ctx) => {
        const by = input.by === 'backup' ? restore.backup : await findSavedBefore(db, restore.id)
        if (by === null) return { detail: 'nothing was replaced' }
        const { definition, planned } = instance
        await runner.stop({ definition, instance: planned }, ctx)
        const steps = planRestoreInPlace(definition, planned, by.copies)
        await carryOutSteps(deps, { instance, steps }, ctx)
        return { detail: `${by.copies.length} volume(s) are as in ${encodeId('backup', by.id)}` }
      })
    },

    /** Starts what was stopped, makes what is missing, and sees it ready, as after a build. */
    async startRestored(input: { restoreId: string }): Promise<void> {
      await withRestored(deps, input.restoreId, async ({ instance }, ctx) => {
        const plan = planBuild(instance.definition, instance.planned)
        const steps = plan.filter(({ kind }) => kind !== 'volume' && kind !== 'restore')
        await startedAnyway(deps, { instance }, ctx, async () => {
          await carryOutSteps(deps, { instance, steps }, ctx)
        })
        await setInstanceState(db, instance.id, 'running')
      })
    },
  }
}

/** The lock keeps repairs away: until its state says so, a stopped container looks like one to be started. */
async function withRestored<T>(
  { db, installationKey }: ServerDependencies,
  restoreId: string,
  work: (of: { restore: Restore; instance: DeployedInstance }, ctx: RunnerContext) => Promise<T>,
): Promise<T> {
  const restore = await readRestore(db, decodeId('restore', restoreId))
  const instance = await getDeployedInstance(db, restore.instanceId)
  const secrets = await openSecrets(db, installationKey, instance)
  return await withInstanceLock(db, instance.id, async () =>
    withRunnerContext(async (ctx) => await work({ restore, instance }, ctx), { secrets }),
  )
}
