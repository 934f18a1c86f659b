import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Nobody is shown what is sealed. */
function dataSources(db: Db) {
  return db
    .selectFrom('data_sources')
    .select(['id', 'code', 'kind', 'host', 'port', 'database_name', 'username', 'has_tls'])
    .select(['certificate_authority', 'set_at', 'set_by', 'created_at'])
}

export type DataSourceRow = Awaited<ReturnType<typeof listDataSources>>[number]

export async function listDataSources(db: Db, page: PageRequest) {
  return await onPage(dataSources(db), page, 'id').execute()
}

export async function getDataSource(db: Db, id: string): Promise<DataSourceRow> {
  return await dataSources(db).where('id', '=', id).executeTakeFirstOrThrow()
}
