import { sql } from 'kysely'
import { jsonObjectFrom } from 'kysely/helpers/postgres'
import type { SaidPrice } from '#domain/pricing/sentence.ts'
import type { Db } from '../database.ts'
import { productVersionsOn } from '../version.ts'
import { onPage, type PageRequest } from './page.ts'

/** @param on the day whose prices what its options sell are said at; null: the last ones */
function products(db: Db, versions: ReturnType<typeof productVersionsOn>, on: string | null) {
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
    .select(
      // Of the first of its applications that has one.
      sql<{ readonly application: string; readonly version: number } | null>`(
        select json_build_object('application', made.application_id, 'version', made.version)
        from product_applications link join lateral (
          select application_id, version, icon from application_versions newest
          where newest.application_id = link.application_id order by newest.version desc limit 1) made on made.icon is not null
        where link.product_id = version.product_id and link.version = version.version
        order by made.application_id limit 1)`.as('icon'),
    )
    .select(
      sql<string[]>`coalesce((
        select array_agg(main.code order by main.code)
        from add_ons link join products main on main.id = link.main_product_id
        where link.product_id = product.id), '{}')`.as('add_on_of_codes'),
    )
    .select(
      sql<string[]>`coalesce((
        select array_agg(add_on.code order by add_on.code)
        from add_ons link join products add_on on add_on.id = link.product_id
        where link.main_product_id = product.id and add_on.archived_at is null), '{}')`.as('add_on_codes'),
    )
    .select(
      // What its options sell, by id.
      sql<Readonly<Record<string, SaidPrice & { readonly code: string }>>>`coalesce((
        select jsonb_object_agg(sold.id, jsonb_build_object(
          'code', sold.code, 'price', said.price, 'currency', said.currency, 'unit', said.unit,
          'billingType', said.billing_type,
          'recurrence', case when said.recurrence_unit is not null
            then jsonb_build_object('count', said.recurrence_count, 'unit', said.recurrence_unit) end))
        from products sold
        join lateral (select * from product_versions where product_id = sold.id
          and (effective_on is null or ${on}::date is null or effective_on <= ${on}::date)
          order by effective_on desc nulls last, version desc limit 1) said on true
        where sold.id::text in (
          select named #>> '{}' from jsonb_path_query(version.options, '$.**.productId') named)), '{}')`.as(
        'option_products',
      ),
    )
    .select((product) =>
      jsonObjectFrom(
        product
          .selectFrom('stocks')
          .select(sql<string | null>`quantity::text`.as('quantity'))
          .select(sql<string>`taken_quantity::text`.as('taken_quantity'))
          .select(sql<string | null>`limit_per_customer::text`.as('limit_per_customer'))
          .select('is_returned')
          .whereRef('stocks.product_id', '=', 'product.id'),
      ).as('stock'),
    )
}

export type ProductRow = Awaited<ReturnType<typeof listProducts>>[number]

export interface ProductFilter {
  /** What can be ordered in the shop. */
  readonly isForShop?: boolean
  readonly category?: string | null
  /** A subscription: the add-ons that fit it. */
  readonly besideSubscriptionId?: string | null
}

/** Each as orders of a day get it. */
export async function listProducts(db: Db, page: PageRequest & ProductFilter, on: string) {
  let query = onPage(products(db, productVersionsOn(db, on), on), page, 'product.id')
  if (page.isForShop === true)
    query = query.where('product.is_hidden', '=', false).where('product.archived_at', 'is', null)
  if (page.category != null) query = query.where('version.category', '=', page.category)
  if (page.besideSubscriptionId != null) {
    query = query
      .where('product.archived_at', 'is', null)
      .where('product.id', 'in', addOnsFitting(db, page.besideSubscriptionId))
  }
  return await query.execute()
}

function addOnsFitting(db: Db, subscriptionId: string) {
  return db
    .selectFrom('subscription_lines as line')
    .innerJoin('products as sold', 'sold.id', 'line.product_id')
    .innerJoin('add_ons as add_on', (join) =>
      join.on((eb) =>
        eb.or([
          eb('add_on.main_product_id', '=', eb.ref('sold.id')),
          eb('add_on.main_product_id', '=', eb.ref('sold.variant_of_id')),
        ]),
      ),
    )
    .select('add_on.product_id')
    .where('line.subscription_id', '=', subscriptionId)
    .where('line.ends_on', 'is', null)
}

export async function getProduct(db: Db, id: string, on: string): Promise<ProductRow> {
  return await products(db, productVersionsOn(db, on), on)
    .where('product.id', '=', id)
    .executeTakeFirstOrThrow()
}

/** Every version of a product, oldest first. */
export async function listProductVersions(db: Db, id: string): Promise<ProductRow[]> {
  return await products(db, db.selectFrom('product_versions').selectAll(), null)
    .where('product.id', '=', id)
    .orderBy('version.version')
    .execute()
}
