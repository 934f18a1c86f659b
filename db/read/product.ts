import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function products(db: Db) {
  return db
    .selectFrom('products as product')
    .leftJoin('products as variant', 'variant.id', 'product.variant_of_id')
    .selectAll('product')
    .select('variant.code as variant_of_code')
    .select(
      sql<string[]>`coalesce((
        select array_agg(application.code order by application.code)
        from product_applications link join applications application on application.id = link.application_id
        where link.product_id = product.id), '{}')`.as('application_codes'),
    )
}

export type ProductRow = Awaited<ReturnType<typeof listProducts>>[number]

export async function listProducts(db: Db, page: PageRequest) {
  return await onPage(products(db), page, 'product.id').execute()
}

export async function getProduct(db: Db, id: string): Promise<ProductRow> {
  return await products(db).where('product.id', '=', id).executeTakeFirstOrThrow()
}
