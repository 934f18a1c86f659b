import { sql } from 'kysely'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export interface SubscriptionFilter {
  readonly phase: SubscriptionPhase | null
  /** Whether it has ended. */
  readonly isEnded?: boolean | null
  readonly customerId: string | null
  readonly productId: string | null
  readonly kitId: string | null
  readonly isParked: boolean | null
  readonly tag?: string | null
  /** Whether a limit is reached and held. */
  readonly isLimited?: boolean | null
  readonly isBilledElsewhere?: boolean | null
}

/** The day it is for a subscription: by its test clock, in its customer's time zone. */
const todayOf = sql<string>`(coalesce((select now_at from test_clocks where id = subscription.test_clock_id), now())
  at time zone customer.time_zone)::date`

/** Of limits that are only warned of nothing is to be seen here. */
const reachedLimits = sql`select distinct "limit".code
  from instances instance join limits "limit" on "limit".instance_id = instance.id
  where instance.subscription_id = subscription.id and instance.destroyed_at is null
    and "limit".reached_at is not null and "limit".enforcement <> 'soft' order by "limit".code`

function subscriptions(db: Db) {
  return db
    .selectFrom('subscriptions as subscription')
    .innerJoin('customers as customer', 'customer.id', 'subscription.customer_id')
    .leftJoin('products as product', 'product.id', 'subscription.product_id')
    .leftJoin('kits as kit', 'kit.id', 'subscription.kit_id')
    .selectAll('subscription')
    .select([
      'customer.code as customer_code',
      'customer.name as customer_name',
      'product.code as product_code',
      'kit.code as kit_code',
    ])
    .select(todayOf.as('today'))
    .select(sql<string[]>`array(${reachedLimits})`.as('limits_reached'))
    .select(
      sql<number | null>`(select host_port from instances instance
        where instance.subscription_id = subscription.id and host_port is not null order by instance.id limit 1)`.as(
        'host_port',
      ),
    )
    .select(
      sql<boolean>`exists (
        select from subscription_pauses
        where subscription_id = subscription.id and begun_at is null
          and pause_period && daterange(${todayOf}, null))`.as('is_pause_planned'),
    )
    .select(
      sql<boolean>`exists (
        select from waiting_changes where subscription_id = subscription.id and state = 'waiting')`.as(
        'is_change_waiting',
      ),
    )
    .select(
      sql<string | null>`(
        select min(document.due_on)
        from subscription_lines line join subscription_documents document on document.id = line.document_id
        where line.subscription_id = subscription.id and document.closed_at is null
          and (line.ends_on is null or line.ends_on > document.next_invoice_on)
          and subscription.phase <> 'ended' and not subscription.is_billed_elsewhere)`.as('next_invoice_on'),
    )
}

export type SubscriptionRow = Awaited<ReturnType<typeof listSubscriptions>>[number]

export async function listSubscriptions(db: Db, page: PageRequest & SubscriptionFilter) {
  let query = onPage(subscriptions(db), page, 'subscription.id')
  if (page.phase !== null) query = query.where('subscription.phase', '=', page.phase)
  if (page.customerId !== null) query = query.where('subscription.customer_id', '=', page.customerId)
  if (page.productId !== null) query = query.where('subscription.product_id', '=', page.productId)
  if (page.kitId !== null) query = query.where('subscription.kit_id', '=', page.kitId)
  const { tag = null } = page
  if (tag !== null) query = query.where(sql<boolean>`subscription.tags @> ${[tag]}`)
  const { isEnded = null } = page
  if (isEnded !== null) query = query.where('subscription.phase', isEnded ? '=' : '<>', 'ended')
  const { isBilledElsewhere = null } = page
  if (isBilledElsewhere !== null)
    query = query.where('subscription.is_billed_elsewhere', '=', isBilledElsewhere)
  const { isLimited = null } = page
  if (isLimited !== null) query = query.where(sql<boolean>`exists (${reachedLimits}) = ${isLimited}`)
  if (page.isParked !== null) {
    query = query.where('subscription.parked_reason', page.isParked ? 'is not' : 'is', null)
  }
  return await query.execute()
}

export async function findSubscription(db: Db, id: string): Promise<SubscriptionRow | undefined> {
  return await subscriptions(db).where('subscription.id', '=', id).executeTakeFirst()
}

/** Of a customer: another's is not found, as one that nobody has. */
export async function findSubscriptionOf(
  db: Db,
  of: { customerId: string; id: string },
): Promise<SubscriptionRow | undefined> {
  return await subscriptions(db)
    .where('subscription.id', '=', of.id)
    .where('subscription.customer_id', '=', of.customerId)
    .executeTakeFirst()
}

/** Lines of a subscription, successors beside those that they follow. */
export async function listSubscriptionLines(db: Db, subscriptionId: string) {
  return await subscriptionLines(db)
    .where('line.subscription_id', '=', subscriptionId)
    .orderBy('line.position')
    .orderBy('line.starts_on')
    .orderBy('line.id')
    .execute()
}
export type SubscriptionLineRow = Awaited<ReturnType<typeof listSubscriptionLines>>[number]

/** Lines with what tells how they stand: the day it is, how far they were billed, whether another follows, or took their place. */
export function subscriptionLines(db: Db) {
  return db
    .selectFrom('subscription_lines as line')
    .innerJoin('products as product', 'product.id', 'line.product_id')
    .innerJoin('subscriptions as subscription', 'subscription.id', 'line.subscription_id')
    .innerJoin('customers as customer', 'customer.id', 'subscription.customer_id')
    .selectAll('line')
    .select(['product.code as product_code', 'subscription.currency'])
    .select(todayOf.as('today'))
    .select(
      sql<string | null>`(select max(upper(service_period)) from invoice_lines
        where subscription_line_id = line.id and kind in ('recurring', 'usage'))`.as('billed_until'),
    )
    .select(
      sql<boolean>`exists (select from subscription_lines later where later.first_line_id = line.first_line_id
        and later.starts_on >= line.ends_on and later.ends_on is distinct from later.starts_on)`.as(
        'has_successor',
      ),
    )
    .select(
      sql<boolean>`exists (select from subscription_lines other where other.first_line_id = line.first_line_id
        and other.id <> line.id and other.ends_on is distinct from other.starts_on
        and (other.ends_on is null or other.ends_on > line.starts_on))`.as('has_rival'),
    )
    .select(
      // What ended with the line that it is sold beside comes back with that line.
      sql<boolean>`exists (select from subscription_commands command
          where command.subscription_id = line.subscription_id and command.request_id = line.closed_by
            and command.kind in ('cancelLine', 'stopLine'))
        and not exists (select from subscription_lines main
          where main.first_line_id = line.main_line_id and main.closed_by = line.closed_by)`.as(
        'is_withdrawn_alone',
      ),
    )
    .select(['subscription.term', 'subscription.term_ends_on'])
}
