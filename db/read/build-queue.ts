import { sql } from 'kysely'
import type { Db } from '../database.ts'

/** Where something stands that waits for its turn on a server. */
export interface QueuePlace {
  /** The server's code. */
  readonly server: string
  /** How many builds and unbuilds have their turn before it. */
  readonly ahead: number
}

/**
 * The place of what a subscription waits for: its order that is planned and has not begun, or, right after the sale, the one that
 * is planned next. Null where nothing of it waits. Of each server, what was planned earlier has its turn earlier.
 */
export async function findQueuePlace(db: Db, subscriptionId: string): Promise<QueuePlace | null> {
  const { rows } = await sql<QueuePlace>`
    with waiting as (
      select subscription.id as subscription_id, instance.server_id, build.id as build_id
      from subscriptions subscription
        join instances instance on instance.subscription_id = subscription.id and instance.destroyed_at is null
        left join build_orders build on build.subscription_id = subscription.id and build.state = 'planned'
      where subscription.parked_reason is null
        and (build.id is not null or (subscription.phase in ('ordered', 'building')
          and not exists (select from build_orders any_build where any_build.subscription_id = subscription.id)
          and not exists (select from order_holds hold where hold.order_id = subscription.order_id and hold.outcome is null)))
    ), own as (
      select waiting.*, server.code from waiting join servers server on server.id = waiting.server_id
      where subscription_id = ${subscriptionId} order by server.code limit 1
    )
    select own.code as server, (
      select count(distinct other.subscription_id)::int from waiting other
      where other.server_id = own.server_id and other.subscription_id <> own.subscription_id
        and (other.build_id < own.build_id
          or (own.build_id is null and (other.build_id is not null or other.subscription_id < own.subscription_id)))
    ) as ahead
    from own`.execute(db)
  return rows[0] ?? null
}
