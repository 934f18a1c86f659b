import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Decimals as text inside the JSON: a JSON number would go through a float. */
function priceLists(db: Db) {
  return db
    .selectFrom('price_lists as list')
    .leftJoin('price_lists as base', 'base.id', 'list.base_price_list_id')
    .selectAll('list')
    .select('base.code as base_price_list_code')
    .select((list) =>
      jsonArrayFrom(
        list
          .selectFrom('price_list_items as item')
          .leftJoin('products as product', 'product.id', 'item.product_id')
          .leftJoin('customers as customer', 'customer.id', 'item.customer_id')
          .select(['item.id', 'product.code as product_code', 'customer.code as customer_code'])
          // As it is sold last.
          .select((item) =>
            item
              .selectFrom('product_versions as version')
              .select('version.unit')
              .whereRef('version.product_id', '=', 'item.product_id')
              .orderBy('version.version', 'desc')
              .limit(1)
              .as('unit'),
          )
          .select(['item.currency', 'item.category', 'item.attribute_name', 'item.attribute_value'])
          .select(['item.price', 'item.formula', 'item.season_from', 'item.season_until'])
          .select([
            sql<string>`item.minimum_quantity::text`.as('minimum_quantity'),
            sql<string | null>`item.discount_percent::text`.as('discount_percent'),
            sql<string | null>`lower(item.valid_in)::text`.as('starts_on'),
            sql<string | null>`upper(item.valid_in)::text`.as('ends_on'),
          ])
          .whereRef('item.price_list_id', '=', 'list.id')
          .orderBy('item.id'),
      ).as('items'),
    )
}

export type PriceListRow = Awaited<ReturnType<typeof listPriceLists>>[number]

export async function listPriceLists(db: Db, page: PageRequest) {
  return await onPage(priceLists(db), page, 'list.id').execute()
}

export async function getPriceList(db: Db, id: string): Promise<PriceListRow> {
  return await priceLists(db).where('list.id', '=', id).executeTakeFirstOrThrow()
}
