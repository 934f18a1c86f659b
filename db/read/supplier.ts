import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type SupplierRow = Awaited<ReturnType<typeof listSuppliers>>[number]

export async function listSuppliers(db: Db, page: PageRequest) {
  return await onPage(db.selectFrom('suppliers').selectAll(), page, 'suppliers.id').execute()
}

export async function getSupplier(db: Db, id: string): Promise<SupplierRow> {
  return await db.selectFrom('suppliers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** Those of whose lines or taxes something is said, by name. */
export async function listAgreedSuppliers(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('suppliers')
    .select('id')
    .where((eb) =>
      eb.or(
        (['expense_mappings', 'supplier_tax_codes', 'cost_rules'] as const).map((table) =>
          eb('suppliers.id', 'in', eb.selectFrom(table).select('supplier_id')),
        ),
      ),
    )
    .orderBy('name')
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}
