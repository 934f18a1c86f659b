import type { Selectable } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import type { OrdersTable } from './tables/subscription.ts'

/** A sold order that its caller has locked, and the instant in its own time. */
export interface LockedOrder extends Selectable<OrdersTable> {
  readonly nowAt: string
}

/**
 * Locks an order: of two who settle it at once, the second finds what the first left. Lock order, always: its subscriptions
 * by id, the order, the balance of its customer.
 * @throws `not_found`
 */
export async function lockOrder(tx: Tx, orderId: string, now: string): Promise<LockedOrder> {
  const row = await tx
    .selectFrom('orders')
    .selectAll()
    .where('id', '=', orderId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such order.')
  if (row.test_clock_id === null) return { ...row, nowAt: now }
  const clock = await tx
    .selectFrom('test_clocks')
    .select('now_at')
    .where('id', '=', row.test_clock_id)
    .executeTakeFirstOrThrow()
  return { ...row, nowAt: clock.now_at }
}

/** The subscriptions of an order, locked before it. */
export async function lockSubscriptionsOf(tx: Tx, orderId: string) {
  return await tx
    .selectFrom('subscriptions')
    .select(['id', 'customer_id', 'phase'])
    .where('order_id', '=', orderId)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
}
