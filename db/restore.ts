import type { RestoreState } from '#domain/backup.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { openBackupBeforeRestore, readBackup, type Backup } from './backup.ts'
import { within, type Db, type Tx } from './database.ts'
import { newId } from './identifier.ts'
import { getSubscription, tellOf } from './subscription.ts'
import { closeTasks, openTask } from './task.ts'

/** A restore in place: which instance of which server, and from what. */
export interface Restore {
  readonly id: string
  readonly subscriptionId: string
  readonly instanceId: string
  readonly serverId: string
  readonly state: RestoreState
  /** What was asked for. */
  readonly backup: Backup
}

export interface AskedRestore {
  readonly subscriptionId: string
  readonly requestId: string
  readonly backupId: string
  readonly actor: string
  readonly now: string
}

/**
 * Begins to put a backup in place of what an instance of the subscription holds, once for one request. From here on the backup
 * is not deleted until that is done.
 * @throws `backup_not_restorable` unless it is kept, and of this instance or what it began with: only then its data knows the
 *   instance's secrets
 */
export async function openRestore(db: Db, asked: AskedRestore): Promise<Restore> {
  return await within(db, async (tx) => {
    const known = await tx
      .selectFrom('restores')
      .select('id')
      .where('subscription_id', '=', asked.subscriptionId)
      .where('request_id', '=', asked.requestId)
      .executeTakeFirst()
    if (known) return await readRestore(tx, known.id)
    const { instanceId, instanceName } = await lockBackup(tx, asked)
    const id = newId()
    await tx
      .insertInto('restores')
      .values({
        id,
        subscription_id: asked.subscriptionId,
        instance_id: instanceId,
        backup_id: asked.backupId,
        request_id: asked.requestId,
      })
      .execute()
    await tellOf(tx, await getSubscription(tx, asked.subscriptionId), 'restore.started', {
      now: asked.now,
      data: { backup: encodeId('backup', asked.backupId), name: instanceName, actor: asked.actor },
    })
    return await readRestore(tx, id)
  })
}

async function lockBackup(
  tx: Tx,
  { backupId, subscriptionId }: AskedRestore,
): Promise<{ instanceId: string; instanceName: string }> {
  const backup = await tx
    .selectFrom('backups')
    .select(['state', 'instance_id', 'server_id'])
    .where('id', '=', backupId)
    .forUpdate()
    .executeTakeFirst()
  const refuse = (detail: string) => new BusinessError('backup_not_restorable', detail)
  if (!backup) throw refuse('There is no such backup.')
  const instance = await tx
    .selectFrom('instances')
    .select(['id', 'name', 'server_id'])
    .where('subscription_id', '=', subscriptionId)
    .where('destroyed_at', 'is', null)
    .where((eb) => eb.or([eb('id', '=', backup.instance_id), eb('restored_from_backup_id', '=', backupId)]))
    .executeTakeFirst()
  if (!instance)
    throw refuse(
      'No instance of this subscription was saved as this backup, or began with it. Order its product with restore_from instead.',
    )
  if (backup.state !== 'kept')
    throw refuse(`The backup is ${backup.state}: only one that is kept can be restored.`)
  if (backup.server_id !== instance.server_id) throw refuse('The backup is kept on another server.')
  return { instanceId: instance.id, instanceName: instance.name }
}

export async function readRestore(db: Db, restoreId: string): Promise<Restore> {
  const row = await db
    .selectFrom('restores')
    .innerJoin('instances', 'instances.id', 'restores.instance_id')
    .selectAll('restores')
    .select('instances.server_id')
    .where('restores.id', '=', restoreId)
    .executeTakeFirstOrThrow()
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    instanceId: row.instance_id,
    serverId: row.server_id,
    state: row.state,
    backup: await readBackup(db, row.backup_id),
  }
}

/** Where its workflow was lost, it is gone on with: what was stopped for it is started again by nobody else. */
export async function findRunningRestore(db: Db, subscriptionId: string): Promise<Restore | null> {
  const row = await db
    .selectFrom('restores')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return row ? await readRestore(db, row.id) : null
}

/** What the instance held when the restore began. */
export async function openSavedBefore(db: Db, { id: restoreId, ...of }: Restore): Promise<Backup> {
  return await openBackupBeforeRestore(db, { ...of, restoreId })
}

/** Null where it came to no backup: then nothing was replaced. */
export async function findSavedBefore(db: Db, restoreId: string): Promise<Backup | null> {
  const row = await db
    .selectFrom('backups')
    .select('id')
    .where('restore_id', '=', restoreId)
    .where('state', '=', 'kept')
    .executeTakeFirst()
  return row ? await readBackup(db, row.id) : null
}

/** How a restore ended, told once. One that could not even be undone has a task until another one is done. */
export async function closeRestore(
  db: Db,
  restoreId: string,
  to: { state: Exclude<RestoreState, 'running'>; failure?: { code: string; detail: string }; now: string },
): Promise<void> {
  await within(db, async (tx) => {
    const { state, failure } = to
    const row = await tx
      .updateTable('restores')
      .set({
        state,
        failure_code: failure?.code ?? null,
        failure_detail: failure?.detail ?? null,
        finished_at: new Date().toISOString(),
      })
      .where('id', '=', restoreId)
      .where('state', '=', 'running')
      .returning(['subscription_id', 'instance_id', 'backup_id'])
      .executeTakeFirst()
    if (!row) return
    const { name } = await tx
      .selectFrom('instances')
      .select('name')
      .where('id', '=', row.instance_id)
      .executeTakeFirstOrThrow()
    const subscription = await getSubscription(tx, row.subscription_id)
    const data = { backup: encodeId('backup', row.backup_id), name, ...failure }
    await tellOf(tx, subscription, `restore.${state}`, { now: to.now, data })
    const subject = { kind: 'instance', id: row.instance_id, reason: 'restored' } as const
    if (state === 'done') await closeTasks(tx, subject, ['restore_failed'])
    if (state === 'failed' && failure) await openRestoreTask(tx, { restoreId, ...row, name, ...failure })
  })
}

async function openRestoreTask(
  tx: Tx,
  of: { restoreId: string; subscription_id: string; instance_id: string; name: string; detail: string },
): Promise<void> {
  const before = await findSavedBefore(tx, of.restoreId)
  const subscription = encodeId('subscription', of.subscription_id)
  const how = before
    ? `What it held is kept: npx clouder backups restore ${encodeId('backup', before.id)} --into ${subscription}`
    : 'Nothing of it was replaced: remove the cause, then suspend and resume it.'
  await openTask(tx, {
    kind: 'restore_failed',
    subjectKind: 'instance',
    subjectId: of.instance_id,
    subject: `${of.name}: restored neither to the backup nor to what it held`,
    detail: `${of.detail} It is stopped. ${how}`,
  })
}
