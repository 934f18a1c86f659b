import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { kitVersionsOn } from '../version.ts'
import { onPage, type PageRequest } from './page.ts'

function kits(db: Db, versions: ReturnType<typeof kitVersionsOn>) {
  return db
    .selectFrom('kits as kit')
    .innerJoin(versions.as('version'), 'version.kit_id', 'kit.id')
    .leftJoin('products as priced', 'priced.id', 'version.price_product_id')
    .selectAll('version')
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
          .whereRef('item.kit_id', '=', 'version.kit_id')
          .whereRef('item.version', '=', 'version.version')
          .orderBy('item.sequence')
          .orderBy('item.position'),
      ).as('bill_of_materials'),
    )
}

export type KitRow = Awaited<ReturnType<typeof listKits>>[number]

/** Each as orders of a day get it. */
export async function listKits(db: Db, page: PageRequest, on: string) {
  return await onPage(kits(db, kitVersionsOn(db, on)), page, 'kit.id').execute()
}

export async function getKit(db: Db, id: string, on: string): Promise<KitRow> {
  return await kits(db, kitVersionsOn(db, on)).where('kit.id', '=', id).executeTakeFirstOrThrow()
}

/** Every version of a kit, oldest first. */
export async function listKitVersions(db: Db, id: string): Promise<KitRow[]> {
  return await kits(db, db.selectFrom('kit_versions').selectAll())
    .where('kit.id', '=', id)
    .orderBy('version.version')
    .execute()
}
