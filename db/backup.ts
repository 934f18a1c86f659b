import { sql } from 'kysely'
import { expiryOf } from '#domain/backup-plan.ts'
import type { BackupState } from '#domain/backup.ts'
import type { SavedCopy } from '#domain/build-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'

export interface Backup {
  readonly id: string
  readonly state: BackupState
  /** What was saved so far. */
  readonly copies: readonly KeptCopy[]
}

interface KeptCopy extends SavedCopy {
  readonly isVerified: boolean
}

/** The last backup of an instance: begun, or found as far as an earlier try came. */
export async function openBackup(
  db: Db,
  of: { instanceId: string; serverId: string; buildOrderId: string },
): Promise<Backup> {
  return await within(db, async (tx) => {
    await tx
      .insertInto('backups')
      .values({
        id: newId(),
        instance_id: of.instanceId,
        server_id: of.serverId,
        build_order_id: of.buildOrderId,
      })
      .onConflict((conflict) =>
        conflict.column('instance_id').where('reason', '=', sql.lit('last')).doNothing(),
      )
      .execute()
    await tx
      .updateTable('backups')
      .set({ state: 'taking', failure_detail: null, build_order_id: of.buildOrderId })
      .where('instance_id', '=', of.instanceId)
      .where('reason', '=', 'last')
      .where('state', '=', 'failed')
      .execute()
    const { id } = await tx
      .selectFrom('backups')
      .select('id')
      .where('instance_id', '=', of.instanceId)
      .where('reason', '=', 'last')
      .executeTakeFirstOrThrow()
    return await readBackup(tx, id)
  })
}

/** What is there before a restore in place: begun, or found as far as an earlier try came. */
export async function openBackupBeforeRestore(
  db: Db,
  of: { instanceId: string; serverId: string; restoreId: string },
): Promise<Backup> {
  return await within(db, async (tx) => {
    await tx
      .insertInto('backups')
      .values({
        id: newId(),
        instance_id: of.instanceId,
        server_id: of.serverId,
        reason: 'before_restore',
        build_order_id: null,
        restore_id: of.restoreId,
      })
      .onConflict((conflict) => conflict.column('restore_id').where('restore_id', 'is not', null).doNothing())
      .execute()
    const { id } = await tx
      .selectFrom('backups')
      .select('id')
      .where('restore_id', '=', of.restoreId)
      .executeTakeFirstOrThrow()
    return await readBackup(tx, id)
  })
}

export async function readBackup(db: Db, backupId: string): Promise<Backup> {
  const { id, state } = await db
    .selectFrom('backups')
    .select(['id', 'state'])
    .where('id', '=', backupId)
    .executeTakeFirstOrThrow()
  return { id, state, copies: await listCopies(db, id) }
}

async function listCopies(db: Db, backupId: string): Promise<KeptCopy[]> {
  const rows = await db
    .selectFrom('backup_volumes')
    .selectAll()
    .where('backup_id', '=', backupId)
    .orderBy('volume')
    .execute()
  return rows.map(({ volume, location, bytes, sha256, verified_at: verifiedAt }) => ({
    volume,
    location,
    bytes,
    sha256,
    isVerified: verifiedAt !== null,
  }))
}

/** A copy that is in the storage; saved again, the new one takes its place and is to be read back. */
export async function recordCopy(db: Db, backupId: string, copy: SavedCopy, now: string): Promise<void> {
  const { volume, location, bytes, sha256 } = copy
  const content = { location, bytes, sha256, saved_at: now, verified_at: null }
  await db
    .insertInto('backup_volumes')
    .values({ backup_id: backupId, volume, ...content })
    .onConflict((conflict) => conflict.columns(['backup_id', 'volume']).doUpdateSet(content))
    .execute()
}

export async function recordVerified(db: Db, backupId: string, volume: string, now: string): Promise<void> {
  await db
    .updateTable('backup_volumes')
    .set({ verified_at: now })
    .where('backup_id', '=', backupId)
    .where('volume', '=', volume)
    .execute()
}

/** Every copy was read back: from now on it is kept for the seller's time. */
export async function keepBackup(db: Db, backupId: string, now: string): Promise<void> {
  await within(db, async (tx) => {
    const { backup_retention_days: days } = await tx
      .selectFrom('installation')
      .select('backup_retention_days')
      .executeTakeFirstOrThrow()
    const kept = { state: 'kept' as const, taken_at: now, verified_at: now, expires_at: expiryOf(now, days) }
    const moved = await tx
      .updateTable('backups')
      .set(kept)
      .where('id', '=', backupId)
      .where('state', '=', 'taking')
      .executeTakeFirst()
    if (moved.numUpdatedRows === 0n) return
    const copies = await listCopies(tx, backupId)
    await tellOfBackup(tx, backupId, 'backup.kept', {
      volumes: copies.map(({ volume }) => volume),
      bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
      expires_at: kept.expires_at,
    })
  })
}

export async function failBackup(db: Db, backupId: string, detail: string): Promise<void> {
  await within(db, async (tx) => {
    const moved = await tx
      .updateTable('backups')
      .set({ state: 'failed', failure_detail: detail })
      .where('id', '=', backupId)
      .where('state', '=', 'taking')
      .executeTakeFirst()
    if (moved.numUpdatedRows > 0n) await tellOfBackup(tx, backupId, 'backup.failed', { detail })
  })
}

/** What is kept no longer; one that an instance is just made or filled from is left until that is done. */
export async function listExpiredBackups(
  db: Db,
  { serverId, now }: { serverId: string; now: string },
): Promise<Backup[]> {
  const rows = await db
    .selectFrom('backups')
    .select(['id', 'state'])
    .where('server_id', '=', serverId)
    .where('state', '=', 'kept')
    .where('expires_at', '<=', now)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('instances')
            .select('instances.id')
            .whereRef('instances.restored_from_backup_id', '=', 'backups.id')
            .where('instances.state', 'in', ['ordered', 'building', 'failed']),
        ),
      ),
    )
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('restores')
            .select('restores.id')
            .where('restores.state', '=', 'running')
            .where((of) =>
              of.or([
                of('restores.backup_id', '=', of.ref('backups.id')),
                of('restores.id', '=', of.ref('backups.restore_id')),
              ]),
            ),
        ),
      ),
    )
    .orderBy('expires_at')
    .limit(100)
    .execute()
  return await Promise.all(rows.map(async (row) => ({ ...row, copies: await listCopies(db, row.id) })))
}

/** Recorded once its copies are gone. */
export async function recordDeletedBackup(db: Db, backupId: string, now: string): Promise<void> {
  await within(db, async (tx) => {
    const moved = await tx
      .updateTable('backups')
      .set({ state: 'deleted', deleted_at: now })
      .where('id', '=', backupId)
      .where('state', '=', 'kept')
      .executeTakeFirst()
    if (moved.numUpdatedRows > 0n) await tellOfBackup(tx, backupId, 'backup.deleted', {})
  })
}

async function tellOfBackup(
  tx: Tx,
  backupId: string,
  kind: EventKind,
  data: Record<string, unknown>,
): Promise<void> {
  const row = await tx
    .selectFrom('backups')
    .innerJoin('instances', 'instances.id', 'backups.instance_id')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .select(['subscriptions.id', 'subscriptions.customer_id', 'backups.build_order_id'])
    .where('backups.id', '=', backupId)
    .executeTakeFirstOrThrow()
  await insertEvent(tx, {
    kind,
    customerId: row.customer_id,
    subscriptionId: row.id,
    ...(row.build_order_id === null ? {} : { buildOrderId: row.build_order_id }),
    data: { backup: encodeId('backup', backupId), ...data },
  })
}
