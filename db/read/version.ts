import { sql } from 'kysely'
import type { Db } from '../database.ts'

/**
 * How many subscriptions stand on each version of a product: those that have not ended, by the line that is in force or will
 * be first. What only follows it later is not counted yet.
 */
export async function countByProductVersion(db: Db, productId: string): Promise<ReadonlyMap<number, number>> {
  const { rows } = await sql<{ version: number; count: number }>`
    select line.product_version as version, count(distinct line.subscription_id)::integer as count
    from subscription_lines line
    join subscriptions subscription on subscription.id = line.subscription_id
    join customers customer on customer.id = subscription.customer_id
    left join test_clocks clock on clock.id = subscription.test_clock_id
    cross join lateral (
      select (coalesce(clock.now_at, now()) at time zone customer.time_zone)::date as date) today
    where line.product_id = ${productId} and subscription.phase <> 'ended'
      and (line.ends_on is null or line.ends_on > today.date and line.ends_on > line.starts_on)
      and (line.id = line.first_line_id or line.starts_on <= today.date)
    group by line.product_version`.execute(db)
  return new Map(rows.map((row) => [row.version, row.count]))
}

/** The same of a kit. */
export async function countByKitVersion(db: Db, kitId: string): Promise<ReadonlyMap<number, number>> {
  const rows = await db
    .selectFrom('subscriptions')
    .select(sql<number>`kit_version`.as('version'))
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('kit_id', '=', kitId)
    .where('phase', '<>', 'ended')
    .groupBy('kit_version')
    .execute()
  return new Map(rows.map((row) => [row.version, row.count]))
}
