import type { OrderHoldKind } from '#domain/order-hold.ts'
import type { Db } from './database.ts'
import { settleOrderHold } from './order-hold.ts'

/** How an order stands as its subscriptions wait for it. Instants. */
export type OrderStanding =
  | { readonly state: 'released' }
  /** Cancelled, refused or expired: nothing of it is built. */
  | { readonly state: 'ended' }
  | {
      readonly state: 'held'
      readonly kinds: readonly OrderHoldKind[]
      readonly since: string
      /** When the first of its holds ends by itself; null: none does. */
      readonly until: string | null
    }

export async function readOrderStanding(db: Db, subscriptionId: string): Promise<OrderStanding> {
  const order = await db
    .selectFrom('subscriptions')
    .innerJoin('orders', 'orders.id', 'subscriptions.order_id')
    .select(['orders.id', 'orders.cancelled_at', 'orders.expired_at'])
    .where('subscriptions.id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  if (order.cancelled_at !== null || order.expired_at !== null) return { state: 'ended' }
  const holds = await listOpenHolds(db, order.id)
  const [first] = holds
  if (first === undefined) return { state: 'released' }
  const ends = holds.flatMap(({ expires_at: at }) => at ?? []).toSorted()
  return {
    state: 'held',
    kinds: holds.map(({ kind }) => kind),
    since: first.opened_at,
    until: ends[0] ?? null,
  }
}

async function listOpenHolds(db: Db, orderId: string) {
  return await db
    .selectFrom('order_holds')
    .select(['kind', 'opened_at', 'expires_at'])
    .where('order_id', '=', orderId)
    .where('settled_at', 'is', null)
    .orderBy('opened_at')
    .orderBy('id')
    .execute()
}

/**
 * Ends the order of a subscription that waited too long (B-11). Of several subscriptions that find it due at once one ends
 * it; what was settled in the last moment stays.
 */
export async function expireOrder(db: Db, subscriptionId: string, now: string): Promise<OrderStanding> {
  await db.transaction().execute(async (tx) => {
    const overdue = await tx
      .selectFrom('order_holds as hold')
      .innerJoin('subscriptions', 'subscriptions.order_id', 'hold.order_id')
      .select(['hold.order_id', 'hold.kind'])
      .where('subscriptions.id', '=', subscriptionId)
      .where('hold.settled_at', 'is', null)
      .where('hold.expires_at', '<=', now)
      .orderBy('hold.expires_at')
      .forUpdate('hold')
      .executeTakeFirst()
    if (!overdue) return
    await settleOrderHold(tx, {
      orderId: overdue.order_id,
      kind: overdue.kind,
      outcome: 'expired',
      actor: 'Clouder',
      reason: null,
      now,
    })
  })
  return await readOrderStanding(db, subscriptionId)
}
