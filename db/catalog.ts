import { sql } from 'kysely'
import type { Catalog, CatalogKit, CatalogProduct } from '#domain/order.ts'
import type { PriceListItem } from '#domain/price.ts'
import type { Db } from './database.ts'

/** The catalog as an order is decided from it, read in one go. */
export async function readCatalog(db: Db): Promise<Catalog> {
  const [products, kits] = await Promise.all([readProducts(db), readKits(db)])
  return {
    products: new Map(products.map((row) => [row.id, row])),
    kits: new Map(kits.map((row) => [row.id, row])),
  }
}

async function readProducts(db: Db): Promise<CatalogProduct[]> {
  const rows = await db
    .selectFrom('products')
    .selectAll('products')
    .select(
      sql<
        string[]
      >`coalesce((select array_agg(application_id::text order by application_id) from product_applications where product_id = products.id), '{}')`.as(
        'application_ids',
      ),
    )
    .execute()
  return rows.map((row) => ({
    id: row.id,
    code: row.code,
    name: row.name,
    billingType: row.billing_type,
    billingTiming: row.billing_timing,
    recurrence:
      row.recurrence_count && row.recurrence_unit
        ? { count: row.recurrence_count, unit: row.recurrence_unit }
        : null,
    unit: row.unit,
    basePrice: row.base_price,
    currency: row.currency,
    metric: row.metric,
    limitCode: row.limit_code,
    isArchived: row.archived_at !== null,
    applicationIds: row.application_ids,
  }))
}

async function readKits(db: Db): Promise<CatalogKit[]> {
  const kits = await db.selectFrom('kits').selectAll().execute()
  const items = await db
    .selectFrom('bill_of_materials')
    .selectAll()
    .orderBy('kit_id')
    .orderBy('position')
    .execute()
  return kits.map((kit) => ({
    id: kit.id,
    code: kit.code,
    name: kit.name,
    isArchived: kit.archived_at !== null,
    billOfMaterials: items
      .filter((item) => item.kit_id === kit.id)
      .map((item) => ({
        productId: item.component_product_id,
        kitId: item.component_kit_id,
        quantity: item.quantity,
        sequence: item.sequence,
      })),
  }))
}

/** A customer's price list with its items. */
export async function readPriceList(
  db: Db,
  priceListId: string,
): Promise<{ currency: string; items: PriceListItem[] }> {
  const list = await db
    .selectFrom('price_lists')
    .select('currency')
    .where('id', '=', priceListId)
    .executeTakeFirstOrThrow()
  const items = await db
    .selectFrom('price_list_items')
    .select(['id', 'product_id', 'minimum_quantity', 'unit_price', 'discount_percent'])
    .select(sql<string | null>`lower(valid_in)`.as('starts_on'))
    .select(sql<string | null>`upper(valid_in)`.as('ends_on'))
    .where('price_list_id', '=', priceListId)
    // Of two items that are equal in all that decides, the older one wins, every time.
    .orderBy('id')
    .execute()
  return {
    currency: list.currency,
    items: items.map((item) => ({
      id: item.id,
      productId: item.product_id,
      minimumQuantity: item.minimum_quantity,
      unitPrice: item.unit_price,
      discountPercent: item.discount_percent,
      startsOn: item.starts_on,
      endsOn: item.ends_on,
    })),
  }
}
