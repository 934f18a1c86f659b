import { sql, type Selectable } from 'kysely'
import type { Catalog, CatalogKit, CatalogProduct } from '#domain/order.ts'
import type { ItemTarget, PriceListItem } from '#domain/pricing/price-list-item.ts'
import type { ItemPrice, PriceBase, PriceList } from '#domain/pricing/price-list.ts'
import { readTogether, type Db } from './database.ts'
import { readExchangeRatesOf } from './exchange-rate.ts'
import type { PriceListItemsTable } from './tables/catalog.ts'
import { applicationIds, kitVersionsOn, productVersionsOn } from './version.ts'

/** The catalog as an order of a day is decided from it, read in one go. */
export async function readCatalog(db: Db, on: string): Promise<Catalog> {
  const [products, kits] = await readTogether(
    db,
    async () => readProducts(db, on),
    async () => readKits(db, on),
  )
  return {
    products: new Map(products.map((row) => [row.id, row])),
    kits: new Map(kits.map((row) => [row.id, row])),
  }
}

async function readProducts(db: Db, on: string): Promise<CatalogProduct[]> {
  const rows = await catalogProducts(db, productVersionsOn(db, on)).execute()
  return rows.map(toCatalogProduct)
}

/** A product as one of its versions says it. */
export async function readProductVersion(
  db: Db,
  { productId, version }: { productId: string; version: number },
): Promise<CatalogProduct> {
  const versions = db.selectFrom('product_versions').selectAll()
  const row = await catalogProducts(db, versions)
    .where('version.product_id', '=', productId)
    .where('version.version', '=', version)
    .executeTakeFirstOrThrow()
  return toCatalogProduct(row)
}

function catalogProducts(db: Db, versions: ReturnType<typeof productVersionsOn>) {
  return db
    .selectFrom('products')
    .innerJoin(versions.as('version'), 'version.product_id', 'products.id')
    .selectAll('version')
    .selectAll('products')
    .select(applicationIds('version').as('application_ids'))
    .select(
      sql<
        string[]
      >`coalesce((select array_agg(main_product_id::text order by main_product_id) from add_ons where product_id = products.id), '{}')`.as(
        'add_on_of_ids',
      ),
    )
}

type ProductRow = Awaited<ReturnType<ReturnType<typeof catalogProducts>['execute']>>[number]

function toCatalogProduct(row: ProductRow): CatalogProduct {
  return {
    id: row.id,
    version: row.version,
    code: row.code,
    name: row.name,
    billingType: row.billing_type,
    billingTiming: row.billing_timing,
    recurrence:
      row.recurrence_count && row.recurrence_unit
        ? { count: row.recurrence_count, unit: row.recurrence_unit }
        : null,
    unit: row.unit,
    basePrice: row.price,
    terms: row.terms,
    category: row.category,
    attributes: row.attributes,
    variantOf: row.variant_of_id,
    taxCategory: row.tax_category,
    currency: row.currency,
    metric: row.metric,
    limitCode: row.limit_code,
    quantityAttribute: row.quantity_attribute,
    isArchived: row.archived_at !== null,
    isHidden: row.is_hidden,
    addOnOf: row.add_on_of_ids,
    features: row.features,
    options: row.options,
    orderFields: row.order_fields,
    applicationIds: row.application_ids,
  }
}

async function readKits(db: Db, on: string): Promise<CatalogKit[]> {
  const kits = await db
    .selectFrom('kits')
    .innerJoin(kitVersionsOn(db, on).as('version'), 'version.kit_id', 'kits.id')
    .selectAll('version')
    .selectAll('kits')
    .execute()
  const items = await db
    .selectFrom('bill_of_materials')
    .selectAll()
    .orderBy('kit_id')
    .orderBy('position')
    .execute()
  const itemsOf = Map.groupBy(items, (item) => `${item.kit_id}/${item.version}`)
  return kits.map((kit) => ({
    id: kit.id,
    version: kit.version,
    code: kit.code,
    name: kit.name,
    priceProductId: kit.price_product_id,
    isArchived: kit.archived_at !== null,
    isHidden: kit.is_hidden,
    billOfMaterials: (itemsOf.get(`${kit.id}/${kit.version}`) ?? []).map((item) => ({
      productId: item.component_product_id,
      kitId: item.component_kit_id,
      quantity: item.quantity,
      sequence: item.sequence,
    })),
  }))
}

/**
 * Price lists with their items, and every list that one of them is based on, by id: a constant number of queries, however
 * many there are. Lists that allow it get the recorded rates from and to some currencies.
 */
export async function readPriceLists(
  db: Db,
  ids: readonly string[],
  currencies: readonly string[],
): Promise<ReadonlyMap<string, PriceList>> {
  if (ids.length === 0) return new Map()
  const lists = await listsWithBases(db, ids)
  const isConverting = lists.some((list) => list.allows_conversion)
  const conversions = isConverting ? await readExchangeRatesOf(db, currencies) : []
  const rows = await db
    .selectFrom('price_list_items')
    .selectAll()
    .select(sql<string | null>`lower(valid_in)`.as('starts_on'))
    .select(sql<string | null>`upper(valid_in)`.as('ends_on'))
    .where(
      'price_list_id',
      'in',
      lists.map((list) => list.id),
    )
    .orderBy('id')
    .execute()
  const items = Map.groupBy(rows, (row) => row.price_list_id)
  return new Map(
    lists.map((list) => [
      list.id,
      {
        id: list.id,
        currency: list.currency,
        ...(list.allows_conversion ? { conversions } : {}),
        items: (items.get(list.id) ?? []).map((row) => toItem(row, list.base_price_list_id)),
      },
    ]),
  )
}

async function listsWithBases(db: Db, ids: readonly string[]) {
  return await db
    .withRecursive('reached', (query) =>
      query
        .selectFrom('price_lists')
        .select(['id', 'currency', 'base_price_list_id', 'allows_conversion'])
        .where('id', 'in', ids)
        .union(
          query
            .selectFrom('price_lists as base')
            .innerJoin('reached', 'reached.base_price_list_id', 'base.id')
            .select(['base.id', 'base.currency', 'base.base_price_list_id', 'base.allows_conversion']),
        ),
    )
    .selectFrom('reached')
    .selectAll()
    .execute()
}

type ItemRow = Selectable<PriceListItemsTable> & {
  readonly starts_on: string | null
  readonly ends_on: string | null
}

function toItem(row: ItemRow, baseListId: string | null): PriceListItem {
  return {
    id: row.id,
    customerId: row.customer_id,
    target: toTarget(row),
    minimumQuantity: row.minimum_quantity,
    currency: row.currency,
    startsOn: row.starts_on,
    endsOn: row.ends_on,
    season:
      row.season_from === null || row.season_until === null
        ? null
        : { from: row.season_from, until: row.season_until },
    pricing: toPricing(row, baseListId),
  }
}

function toTarget(row: ItemRow): ItemTarget {
  if (row.product_id !== null) return { kind: 'product', productId: row.product_id }
  if (row.category !== null) return { kind: 'category', category: row.category }
  return row.attribute_name === null || row.attribute_value === null
    ? { kind: 'all' }
    : { kind: 'attribute', name: row.attribute_name, value: row.attribute_value }
}

/** A discount and a formula are of the list that this one is based on, else of the base prices. */
function toPricing(row: ItemRow, baseListId: string | null): ItemPrice {
  if (row.price !== null) return { kind: 'fixed', price: row.price }
  const base: PriceBase =
    baseListId === null ? { kind: 'base_price' } : { kind: 'price_list', priceListId: baseListId }
  if (row.discount_percent !== null) return { kind: 'discount', base, percent: row.discount_percent }
  const { discountPercent, surcharge, step, least, greatest } = row.formula ?? {}
  return {
    kind: 'formula',
    base,
    discountPercent: discountPercent ?? '0',
    surcharge: surcharge ?? '0',
    step: step ?? null,
    least: least ?? null,
    greatest: greatest ?? null,
  }
}
