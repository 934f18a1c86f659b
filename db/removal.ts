import { sql, type RawBuilder } from 'kysely'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'

export type RemovableKind =
  'application' | 'discount' | 'kit' | 'metric' | 'priceList' | 'priceListItem' | 'product'

/** What holds a thing of the catalog fast, and how many of it do. */
interface Use {
  readonly one: string
  readonly many: string
  /** Selects what is counted, each once. */
  readonly of: (id: string) => RawBuilder<unknown>
}

interface Removal {
  readonly uses: readonly Use[]
  /** Its own rows, in the order in which they can go; the last is the thing itself. */
  readonly rows: readonly (readonly [table: string, column: string])[]
}

const removals: Readonly<Record<RemovableKind, Removal>> = {
  product: {
    uses: [
      {
        one: 'subscription',
        many: 'subscriptions',
        of: (id) => sql`select subscription_id from subscription_lines where product_id = ${id}
          union select id from subscriptions where product_id = ${id}`,
      },
      {
        one: 'order',
        many: 'orders',
        of: (id) => sql`select order_id from order_lines where product_id = ${id}
          union select order_id from used_trials where product_id = ${id}`,
      },
      {
        one: 'kit',
        many: 'kits',
        of: (id) => sql`select kit_id from bill_of_materials where component_product_id = ${id}
          union select kit_id from kit_versions where price_product_id = ${id}`,
      },
      {
        one: 'product',
        many: 'products',
        of: (id) => sql`select id from products where variant_of_id = ${id}
          union select product_id from add_ons where main_product_id = ${id}
          union select product_id from product_versions where jsonb_path_exists(options, '$[*].** ? (@.productId == $id)', jsonb_build_object('id', ${id}::text))`,
      },
      { one: 'price list', many: 'price lists', of: (id) => sql`select distinct price_list_id from price_list_items where product_id = ${id}` },
      { one: 'discount', many: 'discounts', of: (id) => sql`select id from discounts where product_id = ${id}` },
      {
        one: 'charge',
        many: 'charges',
        of: (id) => sql`select id from one_off_charges where product_id = ${id}
          union select id from invoice_lines where product_id = ${id} and one_off_charge_id is null`,
      },
    ],
    rows: [
      ['product_applications', 'product_id'],
      ['product_versions', 'product_id'],
      ['add_ons', 'product_id'],
      ['stocks', 'product_id'],
      ['products', 'id'],
    ],
  },
  kit: {
    uses: [
      { one: 'subscription', many: 'subscriptions', of: (id) => sql`select id from subscriptions where kit_id = ${id}` },
      { one: 'order', many: 'orders', of: (id) => sql`select distinct order_id from order_lines where kit_id = ${id}` },
      { one: 'kit', many: 'kits', of: (id) => sql`select distinct kit_id from bill_of_materials where component_kit_id = ${id}` },
    ],
    rows: [
      ['bill_of_materials', 'kit_id'],
      ['kit_versions', 'kit_id'],
      ['kits', 'id'],
    ],
  },
  application: {
    uses: [
      { one: 'product', many: 'products', of: (id) => sql`select distinct product_id from product_applications where application_id = ${id}` },
      {
        one: 'instance',
        many: 'instances',
        of: (id) => sql`select instances.id from instances join application_versions on application_versions.id = application_version_id where application_id = ${id}`,
      },
    ],
    rows: [
      ['application_permissions', 'application_id'],
      ['price_grids', 'application_id'],
      ['application_versions', 'application_id'],
      ['applications', 'id'],
    ],
  },
  metric: {
    uses: [
      {
        one: 'application',
        many: 'applications',
        of: (id) => sql`select distinct application_id from application_versions where definition -> 'metrics' @>
          (select jsonb_build_array(jsonb_build_object('code', code, 'isShared', true)) from metrics where id = ${id})`,
      },
      { one: 'product', many: 'products', of: (id) => sql`select distinct product_id from product_versions where metric = (select code from metrics where id = ${id})` },
    ],
    rows: [['metrics', 'id']],
  },
  priceList: {
    uses: [
      { one: 'customer', many: 'customers', of: (id) => sql`select id from customers where price_list_id = ${id}` },
      { one: 'price list', many: 'price lists', of: (id) => sql`select id from price_lists where base_price_list_id = ${id}` },
      {
        one: 'subscription',
        many: 'subscriptions',
        of: (id) => sql`select distinct subscription_id from subscription_lines
          join price_list_items on price_list_items.id = price_list_item_id where price_list_id = ${id}`,
      },
    ],
    rows: [
      ['price_list_items', 'price_list_id'],
      ['price_lists', 'id'],
    ],
  },
  priceListItem: {
    uses: [
      {
        one: 'subscription',
        many: 'subscriptions',
        of: (id) => sql`select distinct subscription_id from subscription_lines where price_list_item_id = ${id}`,
      },
    ],
    rows: [['price_list_items', 'id']],
  },
  discount: {
    uses: [{ one: 'customer', many: 'customers', of: (id) => sql`select distinct customer_id from applied_discounts where discount_id = ${id}` }],
    rows: [['discounts', 'id']],
  },
} // prettier-ignore

/**
 * Deletes a thing of the catalog that nothing refers to. Its row is locked first: what begins to use it meanwhile waits, and
 * finds it gone.
 * @throws `in_use` with what uses it, and how many
 */
export async function removeFromCatalog(tx: Tx, kind: RemovableKind, id: string): Promise<void> {
  const { uses, rows } = removals[kind]
  const [own] = rows.at(-1) ?? ['']
  await sql`select id from ${sql.table(own)} where id = ${id} for update`.execute(tx)
  const found: string[] = []
  for (const { one, many, of } of uses) {
    const counted = await sql<{
      count: number
    }>`select count(*)::int as count from (${of(id)}) as used`.execute(tx)
    const count = counted.rows[0]?.count ?? 0
    if (count > 0) found.push(`${count} ${count === 1 ? one : many}`)
  }
  if (found.length > 0) throw new BusinessError('in_use', `It is used by ${found.join(', ')}.`)
  for (const [table, column] of rows)
    await sql`delete from ${sql.table(table)} where ${sql.ref(column)} = ${id}`.execute(tx)
}

const archivable = {
  application: 'applications',
  discount: 'discounts',
  kit: 'kits',
  metric: 'metrics',
  priceList: 'price_lists',
  product: 'products',
} as const

export type ArchivableKind = keyof typeof archivable

/** It is not sold, given or built any more, and what was goes on; or, with null, it is again. What is so already stays as it is. */
export async function setArchived(
  db: Db,
  kind: ArchivableKind,
  { id, archivedAt }: { id: string; archivedAt: string | null },
): Promise<void> {
  await db
    .updateTable(archivable[kind])
    .set({ archived_at: archivedAt })
    .where('id', '=', id)
    .where('archived_at', archivedAt === null ? 'is not' : 'is', null)
    .execute()
}

/**
 * From a day on, a price list item gives no price to orders and to lines whose price is read anew.
 * @throws `date_range_invalid` where it had ended by then, or would never have held
 */
export async function withdrawItem(tx: Tx, itemId: string, on: string): Promise<void> {
  const withdrawn = await tx
    .updateTable('price_list_items')
    .set({ valid_in: sql<string>`daterange(lower(valid_in), ${on}::date)` })
    .where('id', '=', itemId)
    .where(sql<boolean>`coalesce(lower(valid_in) < ${on}::date, true)`)
    .where(sql<boolean>`coalesce(upper(valid_in) > ${on}::date, true)`)
    .executeTakeFirst()
  if (withdrawn.numUpdatedRows > 0n) return
  const detail = `The item does not hold on the day before ${on} and after it: delete it, or choose a day while it holds.`
  throw fieldError('/on', 'date_range_invalid', detail)
}
