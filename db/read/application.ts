import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Each application with its newest version. */
function applications(db: Db) {
  return db
    .selectFrom('applications as application')
    .innerJoinLateral(
      (join) =>
        join
          .selectFrom('application_versions as newest')
          .select(['newest.version', 'newest.definition', 'newest.compose', 'newest.files'])
          .select(sql<boolean>`newest.icon is not null`.as('has_icon'))
          .whereRef('newest.application_id', '=', 'application.id')
          .orderBy('newest.version', 'desc')
          .limit(1)
          .as('version'),
      (join) => join.onTrue(),
    )
    .selectAll('application')
    .select(['version.version', 'version.definition', 'version.compose', 'version.files', 'version.has_icon'])
}

export type ApplicationRow = Awaited<ReturnType<typeof listApplications>>[number]

export async function listApplications(db: Db, page: PageRequest) {
  return await onPage(applications(db), page, 'application.id').execute()
}

export async function getApplication(db: Db, id: string): Promise<ApplicationRow> {
  return await applications(db).where('application.id', '=', id).executeTakeFirstOrThrow()
}

export async function findApplicationIcon(
  db: Db,
  applicationId: string,
  version: number,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('application_versions')
    .select('icon')
    .where('application_id', '=', applicationId)
    .where('version', '=', version)
    .executeTakeFirst()
  return row?.icon ?? undefined
}

/** The newest definitions behind codes, for checking a product's metric and limit. */
export async function listDefinitions(db: Db, ids: readonly string[]) {
  if (ids.length === 0) return []
  const rows = await applications(db).where('application.id', 'in', ids).execute()
  return rows.map((row) => row.definition)
}
