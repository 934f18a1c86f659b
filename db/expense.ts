import type { Tx } from './database.ts'
import { newId } from './identifier.ts'
import { tellMappings, tellMappingsOfCategory } from './told-mapping.ts'
import { refuseTakenCode } from './unique.ts'

/** @throws `code_taken` */
export async function insertExpenseCategory(
  tx: Tx,
  category: { code: string; name: string; account: string | null },
): Promise<string> {
  const id = newId()
  await refuseTakenCode(
    category.code,
    async () =>
      await tx
        .insertInto('expense_categories')
        .values({ id, ...category })
        .execute(),
  )
  return id
}

/** What is archived takes no new lines; what was mapped to it stays so. */
export async function updateExpenseCategory(
  tx: Tx,
  id: string,
  change: { name?: string | undefined; account?: string | null | undefined; archivedAt?: string | null },
): Promise<void> {
  const { name, account, archivedAt } = change
  const set = {
    ...(name === undefined ? {} : { name }),
    ...(account === undefined ? {} : { account }),
    ...(archivedAt === undefined ? {} : { archived_at: archivedAt }),
  }
  if (Object.keys(set).length === 0) return
  await tx.updateTable('expense_categories').set(set).where('id', '=', id).execute()
  if (name !== undefined) await tellMappingsOfCategory(tx, id)
}

interface Agreed {
  readonly supplierId: string
  readonly actor: string
  readonly now: string
}

type Mapping = Agreed & {
  readonly matches: 'product_code' | 'description'
  readonly value: string
  readonly categoryId: string | null
}

/** Says of which category lines of this name are, or with null that it is said no more. Who is billed by product tells its supplier. */
export async function mapExpense(tx: Tx, mapping: Mapping): Promise<void> {
  await writeMapping(tx, mapping)
  if (mapping.matches === 'product_code') await tellMappings(tx, mapping.supplierId)
}

async function writeMapping(tx: Tx, mapping: Mapping): Promise<void> {
  const key = { supplier_id: mapping.supplierId, matches: mapping.matches, value: mapping.value }
  if (mapping.categoryId === null) {
    await tx
      .deleteFrom('expense_mappings')
      .where('supplier_id', '=', key.supplier_id)
      .where('matches', '=', key.matches)
      .where('value', '=', key.value)
      .execute()
    return
  }
  // Who renames it meanwhile finds what is mapped to it here.
  await tx
    .selectFrom('expense_categories')
    .select('id')
    .where('id', '=', mapping.categoryId)
    .forShare()
    .executeTakeFirstOrThrow()
  const said = { expense_category_id: mapping.categoryId, agreed_by: mapping.actor, agreed_at: mapping.now }
  await tx
    .insertInto('expense_mappings')
    .values({ ...key, ...said })
    .onConflict((conflict) => conflict.columns(['supplier_id', 'matches', 'value']).doUpdateSet(said))
    .execute()
}

/** Says which tax code of our books a category and rate of the supplier is, or with null that it is said no more. */
export async function mapTaxCode(
  tx: Tx,
  mapping: Agreed & { taxCategory: string; ratePercent: string; taxCode: string | null },
): Promise<void> {
  const key = {
    supplier_id: mapping.supplierId,
    tax_category: mapping.taxCategory,
    rate_percent: mapping.ratePercent,
  }
  if (mapping.taxCode === null) {
    await tx
      .deleteFrom('supplier_tax_codes')
      .where('supplier_id', '=', key.supplier_id)
      .where('tax_category', '=', key.tax_category)
      .where('rate_percent', '=', key.rate_percent)
      .execute()
    return
  }
  const said = { tax_code: mapping.taxCode, agreed_by: mapping.actor, agreed_at: mapping.now }
  await tx
    .insertInto('supplier_tax_codes')
    .values({ ...key, ...said })
    .onConflict((conflict) =>
      conflict.columns(['supplier_id', 'tax_category', 'rate_percent']).doUpdateSet(said),
    )
    .execute()
}
