import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type ExpenseCategoryRow = Awaited<ReturnType<typeof listExpenseCategories>>[number]

export async function listExpenseCategories(db: Db, page: PageRequest) {
  return await onPage(
    db.selectFrom('expense_categories').selectAll(),
    page,
    'expense_categories.id',
  ).execute()
}

export async function getExpenseCategory(db: Db, id: string): Promise<ExpenseCategoryRow> {
  return await db.selectFrom('expense_categories').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** What was agreed with one supplier, or with all. */
export async function listExpenseMappings(db: Db, supplierId?: string) {
  const query = db
    .selectFrom('expense_mappings as mapping')
    .innerJoin('expense_categories as category', 'category.id', 'mapping.expense_category_id')
    .select(['mapping.supplier_id', 'mapping.matches', 'mapping.value', 'mapping.agreed_by'])
    .select(['category.id as category_id', 'category.code', 'category.name', 'category.account'])
    .orderBy('mapping.matches', 'desc')
    .orderBy('mapping.value')
  return await (
    supplierId === undefined ? query : query.where('mapping.supplier_id', '=', supplierId)
  ).execute()
}

export type ExpenseMappingRow = Awaited<ReturnType<typeof listExpenseMappings>>[number]

export async function listSupplierTaxCodes(db: Db, supplierId: string) {
  return await db
    .selectFrom('supplier_tax_codes')
    .selectAll()
    .where('supplier_id', '=', supplierId)
    .orderBy('tax_category')
    .orderBy('rate_percent')
    .execute()
}

export type SupplierTaxCodeRow = Awaited<ReturnType<typeof listSupplierTaxCodes>>[number]
