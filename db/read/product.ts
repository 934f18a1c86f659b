import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { productVersionsOn } from '../version.ts'
import { onPage, type PageRequest } from './page.ts'

function products(db: Db, versions: ReturnType<typeof productVersionsOn>) {
  return db
    .selectFrom('products as product')
    .innerJoin(versions.as('version'), 'version.product_id', 'product.id')
    .leftJoin('products as variant', 'variant.id', 'product.variant_of_id')
    .selectAll('version')
    .selectAll('product')
    .select('variant.code as variant_of_code')
    .select(
      sql<string[]>`coalesce((
        select array_agg(application.code order by application.code)
        from product_applications link join applications application on application.id = link.application_id
        where link.product_id = version.product_id and link.version = version.version), '{}')`.as(
        'application_codes',
      ),
    )
}

export type ProductRow = Awaited<ReturnType<typeof listProducts>>[number]

/** Each as orders of a day get it. */
export async function listProducts(db: Db, page: PageRequest, on: string) {
  return await onPage(products(db, productVersionsOn(db, on)), page, 'product.id').execute()
}

export async function getProduct(db: Db, id: string, on: string): Promise<ProductRow> {
  return await products(db, productVersionsOn(db, on)).where('product.id', '=', id).executeTakeFirstOrThrow()
}

/** Every version of a product, oldest first. */
export async function listProductVersions(db: Db, id: string): Promise<ProductRow[]> {
  return await products(db, db.selectFrom('product_versions').selectAll())
    .where('product.id', '=', id)
    .orderBy('version.version')
    .execute()
}
