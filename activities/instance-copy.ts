import { failBackup, keepBackup, recordCopy, recordVerified, type Backup } from '#db/backup.ts'
import type { DeployedInstance } from '#db/instance.ts'
import type { ServiceCommand } from '#domain/application.ts'
import type { BackupStep } from '#domain/backup-plan.ts'
import { containerName } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'

/** A dump of a large database takes its time. */
const commandDeadlineMs = 4 * 60 * 60 * 1000
const outputCharacters = 500

type Tools = Pick<ServerDependencies, 'db' | 'runner'>

interface Saving {
  readonly plan: BackupStep
  readonly backup: Backup
  readonly instance: DeployedInstance
}

/** Saves what an instance holds, by its application's rules, unless it was saved already. Says what was done. */
export async function saveInstance(tools: Tools, saving: Saving, ctx: RunnerContext): Promise<string> {
  const { backup, instance } = saving
  const id = encodeId('backup', backup.id)
  await tools.runner.clearCopying(instance.planned, ctx)
  if (backup.state === 'kept' || backup.state === 'deleted') return `saved and read back already: ${id}`
  try {
    return `${await saveVolumes(tools, saving, ctx)}: ${id}`
  } catch (error) {
    if (error instanceof BusinessError) await failBackup(tools.db, backup.id, error.message)
    throw error
  }
}

async function saveVolumes(tools: Tools, saving: Saving, ctx: RunnerContext): Promise<string> {
  const { plan, backup, instance } = saving
  const present = await listVolumes(tools, instance, ctx)
  const volumes = plan.volumes.filter(({ name }) => present.has(name))
  const gone = plan.volumes.filter(({ name }) => !present.has(name)).map(({ volume }) => volume)
  const missing = gone.length === 0 ? '' : `, not on the server any more: ${gone.join(', ')}`
  if (volumes.length === 0) {
    // What somebody removed before cannot be destroyed by going on.
    await failBackup(tools.db, backup.id, `There was nothing left to save${missing}.`)
    return `nothing left to save${missing}`
  }
  await runCommands(tools, { instance, commands: plan.before }, ctx)
  if (plan.isStopped) await stop(tools, instance, ctx)
  for (const volume of volumes) await saveVolume(tools, saving, volume, ctx)
  await runCommands(tools, { instance, commands: plan.after }, ctx)
  // From here on nothing is written that the copies do not have, however long the rest of the way takes.
  await stop(tools, instance, ctx)
  await keepBackup(tools.db, backup.id, new Date().toISOString())
  return `${volumes.length} volume(s) saved and read back${missing}`
}

async function listVolumes(
  { runner }: Tools,
  { planned }: DeployedInstance,
  ctx: RunnerContext,
): Promise<Set<string>> {
  const resources = await runner.list(planned, ctx)
  return new Set(resources.filter(({ kind }) => kind === 'volume').map(({ name }) => name))
}

/** In containers that run: the files of one that was stopped are at rest. */
async function runCommands(
  { runner }: Tools,
  { instance, commands }: { instance: DeployedInstance; commands: readonly ServiceCommand[] },
  ctx: RunnerContext,
): Promise<void> {
  if (commands.length === 0) return
  const { containers } = await runner.observe(instance.planned, ctx)
  const running = new Set(containers.filter(({ state }) => state === 'running').map(({ name }) => name))
  for (const { service, command } of commands) {
    const container = containerName(instance.planned, service)
    if (!running.has(container)) continue
    ctx.onProgress(`${command[0] ?? ''} in ${service}`)
    const request = { container, argv: command, deadlineMs: commandDeadlineMs }
    const { exitCode, stdout, stderr } = await runner.execute(request, ctx)
    if (exitCode === 0) continue
    const said = (stderr || stdout).trim().slice(-outputCharacters)
    throw new BusinessError(
      'backup_failed',
      `${command[0] ?? ''} in ${service}, which makes the volumes consistent, ended with exit code ${exitCode}. Its last lines:\n${said}`,
    )
  }
}

async function stop({ runner }: Tools, instance: DeployedInstance, ctx: RunnerContext): Promise<void> {
  await runner.stop({ definition: instance.definition, instance: instance.planned }, ctx)
}

/** Taken again by every try: the containers may have written since an earlier one. */
async function saveVolume(
  { db, runner }: Tools,
  { backup, instance }: Saving,
  volume: BackupStep['volumes'][number],
  ctx: RunnerContext,
): Promise<void> {
  const key = `${encodeId('backup', backup.id)}/${volume.volume}.tar`
  const copy = await runner.saveVolume({ instance: instance.planned, volume, key }, ctx)
  await recordCopy(db, backup.id, copy, new Date().toISOString())
  ctx.onProgress(`reading back volume ${volume.volume}`)
  await runner.verifyCopy(copy, ctx)
  await recordVerified(db, backup.id, volume.volume, new Date().toISOString())
}
