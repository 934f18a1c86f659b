import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function discounts(db: Db) {
  return db
    .selectFrom('discounts as discount')
    .leftJoin('products as product', 'product.id', 'discount.product_id')
    .selectAll('discount')
    .select([
      'product.code as product_code',
      sql<string | null>`lower(discount.valid_in)`.as('starts_on'),
      sql<string | null>`upper(discount.valid_in)`.as('ends_on'),
    ])
}

export type DiscountRow = Awaited<ReturnType<typeof listDiscountPage>>[number]

export async function listDiscountPage(db: Db, page: PageRequest) {
  return await onPage(discounts(db), page, 'discount.id').execute()
}

export async function getDiscount(db: Db, id: string): Promise<DiscountRow> {
  return await discounts(db).where('discount.id', '=', id).executeTakeFirstOrThrow()
}
