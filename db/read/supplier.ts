import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type SupplierRow = Awaited<ReturnType<typeof listSuppliers>>[number]

export async function listSuppliers(db: Db, page: PageRequest) {
  return await onPage(db.selectFrom('suppliers').selectAll(), page, 'suppliers.id').execute()
}

export async function getSupplier(db: Db, id: string): Promise<SupplierRow> {
  return await db.selectFrom('suppliers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
