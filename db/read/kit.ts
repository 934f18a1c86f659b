import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function kits(db: Db) {
  return db
    .selectFrom('kits as kit')
    .leftJoin('products as priced', 'priced.id', 'kit.price_product_id')
    .selectAll('kit')
    .select('priced.code as price_product_code')
    .select((kit) =>
      jsonArrayFrom(
        kit
          .selectFrom('bill_of_materials as item')
          .leftJoin('products as product', 'product.id', 'item.component_product_id')
          .leftJoin('kits as inner', 'inner.id', 'item.component_kit_id')
          .select(['product.code as product_code', 'inner.code as kit_code', 'item.sequence'])
          .select(sql<string>`item.quantity::text`.as('quantity'))
          .whereRef('item.kit_id', '=', 'kit.id')
          .orderBy('item.sequence')
          .orderBy('item.position'),
      ).as('bill_of_materials'),
    )
}

export type KitRow = Awaited<ReturnType<typeof listKits>>[number]

export async function listKits(db: Db, page: PageRequest) {
  return await onPage(kits(db), page, 'kit.id').execute()
}

export async function getKit(db: Db, id: string): Promise<KitRow> {
  return await kits(db).where('kit.id', '=', id).executeTakeFirstOrThrow()
}
