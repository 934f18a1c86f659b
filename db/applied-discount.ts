import { sql } from 'kysely'
import type { DiscountInForce } from '#domain/invoice/discounting.ts'
import type { Db } from './database.ts'

/** What customers have by way of discounts, in the order in which they got them, by customer. */
export async function readAppliedDiscounts(
  db: Db,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, (DiscountInForce & { readonly currency: string | null })[]>> {
  if (customerIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('applied_discounts as applied')
    .innerJoin('discounts', 'discounts.id', 'applied.discount_id')
    .select(['applied.customer_id', 'applied.subscription_id', 'discounts.id', 'discounts.name'])
    .select(['discounts.scope', 'discounts.percent', 'discounts.amount_minor', 'discounts.currency'])
    .select(['discounts.product_id', 'discounts.period_count'])
    .select(sql<string>`lower(applied.valid_in)`.as('starts_on'))
    .select(sql<string | null>`upper(applied.valid_in)`.as('ends_on'))
    .where('applied.customer_id', '=', sql<string>`any(${customerIds}::uuid[])`)
    .orderBy('applied.id')
    .execute()
  const discounts = rows.map((row) => ({
    customerId: row.customer_id,
    id: row.id,
    name: row.name,
    scope: row.scope,
    percent: row.percent,
    amountMinor: row.amount_minor,
    currency: row.currency,
    productId: row.product_id,
    subscriptionId: row.subscription_id,
    startsOn: row.starts_on,
    endsOn: row.ends_on,
    periodCount: row.period_count,
  }))
  return Map.groupBy(discounts, (discount) => discount.customerId)
}
