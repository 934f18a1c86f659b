import { sql, type RawBuilder } from 'kysely'
import type { Db } from './database.ts'

/** So long the first bill waits at most for what was ordered with it and is still being built. */
const longestWait = '10 minutes'

/**
 * The subscriptions of one order that began on one day, this one among them: their first lines are billed together. What
 * does not recur is billed alone, at once.
 */
export async function listBegunTogether(db: Db, subscriptionId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select other.id from subscriptions one join customers customer on customer.id = one.customer_id
    join subscriptions other on other.order_id = one.order_id and other.customer_id = one.customer_id
    where one.id = ${subscriptionId} and (other.id = one.id or (
      other.phase in ('active', 'suspended') and other.starts_on = one.starts_on
      and (other.activated_at at time zone customer.time_zone)::date = (one.activated_at at time zone customer.time_zone)::date
      and exists (select from subscription_lines where subscription_id = one.id and interval_unit is not null)
      and exists (select from subscription_lines where subscription_id = other.id and interval_unit is not null)
    ))
    order by other.id`.execute(db)
  return rows.map(({ id }) => id)
}

/**
 * Whether the first bill of a subscription waits for others of its order: they are still being built, come on the same
 * day, and lie on the same document. What is parked is not waited for, nor what takes too long. A test clock stands
 * still: there the others are waited for however long they take.
 */
export async function isOpeningAwaited(db: Db, subscriptionId: string, now: string): Promise<boolean> {
  const { rows } = await sql`
    select from subscriptions one where one.id = ${subscriptionId} and ${isAwaited(now)}`.execute(db)
  return rows.length > 0
}

/** The document of a row `document` holds the first lines of somebody who waits for others. */
export function isDocumentAwaited(now: string): RawBuilder<boolean> {
  return sql<boolean>`exists (select from subscription_lines line join subscriptions one on one.id = line.subscription_id
    where line.document_id = document.id and ${isAwaited(now)})`
}

function isAwaited(now: string): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from customers customer, subscriptions other
    join subscription_lines other_line on other_line.subscription_id = other.id
    join subscription_lines own_line on own_line.subscription_id = one.id
      and (own_line.interval_count, own_line.interval_unit) = (other_line.interval_count, other_line.interval_unit)
    where customer.id = one.customer_id and other.order_id = one.order_id and other.customer_id = one.customer_id
      and other.phase in ('ordered', 'building') and other.parked_reason is null
      and coalesce(other.starts_on, one.starts_on) = one.starts_on
      and one.starts_on <= (${now}::timestamptz at time zone customer.time_zone)::date
      and (one.activated_at at time zone customer.time_zone)::date = (${now}::timestamptz at time zone customer.time_zone)::date
      and (one.test_clock_id is not null or one.activated_at > ${now}::timestamptz - ${longestWait}::interval)
  )`
}
