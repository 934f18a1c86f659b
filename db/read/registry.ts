import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Nobody is shown what is sealed. */
function registries(db: Db) {
  return db.selectFrom('registries').select(['id', 'host', 'username', 'set_at', 'set_by', 'created_at'])
}

export type RegistryRow = Awaited<ReturnType<typeof listRegistries>>[number]

export async function listRegistries(db: Db, page: PageRequest) {
  return await onPage(registries(db), page, 'id').execute()
}

export async function getRegistry(db: Db, id: string): Promise<RegistryRow> {
  return await registries(db).where('id', '=', id).executeTakeFirstOrThrow()
}
