import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function restores(db: Db) {
  return db
    .selectFrom('restores as restore')
    .innerJoin('instances as instance', 'instance.id', 'restore.instance_id')
    .leftJoin('backups as before', 'before.restore_id', 'restore.id')
    .selectAll('restore')
    .select(['instance.name as instance_name', 'before.id as before_id'])
}

export type RestoreRow = Awaited<ReturnType<typeof listRestores>>[number]

export async function listRestores(db: Db, page: PageRequest & { subscriptionId: string | null }) {
  const query = onPage(restores(db), page, 'restore.id')
  return await (
    page.subscriptionId === null ? query : query.where('restore.subscription_id', '=', page.subscriptionId)
  ).execute()
}

export async function getRestore(db: Db, id: string): Promise<RestoreRow> {
  return await restores(db).where('restore.id', '=', id).executeTakeFirstOrThrow()
}
