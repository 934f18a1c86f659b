import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function backups(db: Db) {
  return db
    .selectFrom('backups as backup')
    .innerJoin('instances as instance', 'instance.id', 'backup.instance_id')
    .innerJoin('servers as server', 'server.id', 'backup.server_id')
    .selectAll('backup')
    .select(['instance.name as instance_name', 'instance.subscription_id', 'server.code as server_code'])
    .select((backup) =>
      jsonArrayFrom(
        backup
          .selectFrom('backup_volumes as copy')
          .select(['copy.volume', 'copy.location', 'copy.sha256'])
          .select(sql<string>`copy.bytes::text`.as('bytes'))
          .whereRef('copy.backup_id', '=', 'backup.id')
          .orderBy('copy.volume'),
      ).as('volumes'),
    )
}

export type BackupRow = Awaited<ReturnType<typeof listBackups>>[number]

export async function listBackups(db: Db, page: PageRequest & { subscriptionId: string | null }) {
  const query = onPage(backups(db), page, 'backup.id')
  return await (
    page.subscriptionId === null ? query : query.where('instance.subscription_id', '=', page.subscriptionId)
  ).execute()
}

/** The newest of an instance. */
export async function listBackupsOfInstance(db: Db, instanceId: string): Promise<BackupRow[]> {
  return await backups(db)
    .where('backup.instance_id', '=', instanceId)
    .orderBy('backup.id', 'desc')
    .limit(50)
    .execute()
}

/** Those that can be put in place of what an instance of the subscription holds, the newest first. */
export async function listRestorableInPlace(db: Db, subscriptionId: string): Promise<BackupRow[]> {
  return await backups(db)
    .where('backup.state', '=', 'kept')
    .where((row) =>
      row.exists(
        row
          .selectFrom('instances as live')
          .select('live.id')
          .where('live.subscription_id', '=', subscriptionId)
          .where('live.destroyed_at', 'is', null)
          .whereRef('live.server_id', '=', 'backup.server_id')
          .where((eb) =>
            eb.or([
              eb('live.id', '=', eb.ref('backup.instance_id')),
              eb('live.restored_from_backup_id', '=', eb.ref('backup.id')),
            ]),
          ),
      ),
    )
    .orderBy('backup.id', 'desc')
    .limit(20)
    .execute()
}

export async function getBackup(db: Db, id: string): Promise<BackupRow> {
  return await backups(db).where('backup.id', '=', id).executeTakeFirstOrThrow()
}
