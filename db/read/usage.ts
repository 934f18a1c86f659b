import { sql } from 'kysely'
import type { UsageCondition } from '#domain/usage-filter.ts'
import type { Db } from '../database.ts'

/** Metered lines of a subscription, each with the end of what was frozen last. */
export async function listMeteredLines(db: Db, subscriptionId: string) {
  return await meteredLines(db, [subscriptionId])
    .select(
      sql<string | null>`(select max(upper(frozen.window_period)) from usage_windows frozen
        where frozen.subscription_line_id = line.id)`.as('frozen_until'),
    )
    .execute()
}
export type MeteredLineRow = Awaited<ReturnType<typeof listMeteredLines>>[number]

/**
 * Metered lines of any number of subscriptions, by subscription; of those whose service has ended with the instant after which
 * nothing is billed.
 */
export async function readServedLines(
  db: Db,
  subscriptionIds: readonly string[],
): Promise<Map<string, ServedLineRow[]>> {
  return Map.groupBy(await servedLines(db, subscriptionIds).execute(), (line) => line.subscription_id)
}
export type ServedLineRow = Awaited<ReturnType<ReturnType<typeof servedLines>['execute']>>[number]

/** The instant after which nothing of the line is billed. A closing reading may come after the last day. */
export const servedUntil = sql<string | null>`case when subscription.phase in ('unbuilding', 'ended') then
  greatest(line.ends_on::timestamp at time zone customer.time_zone,
    (select max(upper(frozen.window_period)) from usage_windows frozen
      where frozen.subscription_line_id = line.id and line.ends_on is not null)) end`

/** The instants after which, and up to which, a line bills; its last window reaches to the closing reading, and so has no end here. */
export const billedFrom = sql<string | null>`line.starts_on::timestamp at time zone customer.time_zone`
export const billedUntil = sql<
  string | null
>`case when line.ends_on is distinct from subscription.ends_on then
  line.ends_on::timestamp at time zone customer.time_zone end`

/** How late and how early an event may be, the same for all. */
export const eventBounds = [
  sql<number>`(select usage_late_days from installation)`.as('late_days'),
  sql<number>`(select usage_early_seconds from installation)`.as('early_seconds'),
] as const

function servedLines(db: Db, subscriptionIds: readonly string[]) {
  return meteredLines(db, subscriptionIds).select([
    servedUntil.as('served_until'),
    billedFrom.as('billed_from'),
    billedUntil.as('billed_to'),
    ...eventBounds,
  ])
}

function meteredLines(db: Db, subscriptionIds: readonly string[]) {
  return usageLines(db, subscriptionIds)
    .innerJoin('products as product', 'product.id', 'line.product_id')
    .select([
      'line.id',
      'line.subscription_id',
      'line.instance_id',
      'line.metric',
      'line.unit',
      'line.price',
      sql<UsageCondition[] | null>`line.terms -> 'usageFilter'`.as('usage_filter'),
      'subscription.currency',
      'line.starts_on',
      'line.ends_on',
      'subscription.ends_on as subscription_ends_on',
      'customer.time_zone',
      'product.code as product_code',
      'subscription.activated_at',
      'subscription.phase',
      'clock.now_at as clock_now_at',
    ])
}

/** The usage lines of subscriptions, the newest of a metric last. */
export function usageLines(db: Db, subscriptionIds: readonly string[]) {
  return db
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions as subscription', 'subscription.id', 'line.subscription_id')
    .innerJoin('customers as customer', 'customer.id', 'subscription.customer_id')
    .leftJoin('test_clocks as clock', 'clock.id', 'subscription.test_clock_id')
    .where('line.subscription_id', '=', sql<string>`any(${subscriptionIds}::uuid[])`)
    .where('line.billing_type', '=', 'usage')
    .orderBy('line.position')
    .orderBy('line.starts_on')
}

/** What was billed: aggregates that never change, newest first. */
export async function listUsageWindows(db: Db, subscriptionId: string) {
  return await db
    .selectFrom('usage_windows as frozen')
    .innerJoin('subscription_lines as line', 'line.id', 'frozen.subscription_line_id')
    .selectAll('frozen')
    .select([
      sql<string>`lower(frozen.window_period)`.as('starts_at'),
      sql<string>`upper(frozen.window_period)`.as('ends_at'),
    ])
    .where('line.subscription_id', '=', subscriptionId)
    .orderBy('frozen.window_period', 'desc')
    .limit(100)
    .execute()
}
export type UsageWindowRow = Awaited<ReturnType<typeof listUsageWindows>>[number]
