import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { orderClosedRequest } from '#domain/order-hold.ts'
import { giveBackPayment } from './balance-movement.ts'
import { keepCommandNote } from './command-note.ts'
import type { Tx } from './database.ts'
import { insertEvents, type EventKind } from './event.ts'
import { lockOrder, lockSubscriptionsOf, type LockedOrder } from './order-lock.ts'
import { tellWorkflows } from './order-signal.ts'
import { closePaymentRequests } from './payment-request.ts'
import { closeTasks } from './task.ts'

const ends = {
  refused: { event: 'order.refused', mark: 'cancelled_at' },
  cancelled: { event: 'order.cancelled', mark: 'cancelled_at' },
  expired: { event: 'order.expired', mark: 'expired_at' },
} as const

/**
 * Ends a sold order of which nothing is active: it waits for nothing any more, asks for no money, and its subscriptions are
 * told to end. Order and subscriptions are locked by the caller.
 */
export async function closeOrder(
  tx: Tx,
  order: LockedOrder,
  { end, actor, reason }: { end: keyof typeof ends; actor: string; reason: string },
): Promise<void> {
  await tx
    .updateTable('order_holds')
    .set({ settled_at: order.nowAt, outcome: 'withdrawn', settled_by: actor, reason })
    .where('order_id', '=', order.id)
    .where('settled_at', 'is', null)
    .execute()
  await closePaymentRequests(tx, order.id, {
    state: end === 'expired' ? 'expired' : 'closed',
    now: order.nowAt,
  })
  await tx
    .updateTable('orders')
    .set({ [ends[end].mark]: order.nowAt })
    .where('id', '=', order.id)
    .execute()
  await closeTasks(tx, { kind: 'order', id: order.id, reason: end }, ['order_acceptance', 'order_review'])
  await tellOfOrder(tx, order, ends[end].event, { actor, reason })
  for (const { id } of await lockSubscriptionsOf(tx, order.id)) {
    await keepCommandNote(tx, { subscriptionId: id, requestId: orderClosedRequest, actor, reason })
  }
  await tellWorkflows(tx, order.id, 'orderClosed')
}

/**
 * Cancels a sold order as long as nothing of it is active: before the build nothing is built, during it the build stops
 * between two steps and is undone (B-14).
 * @throws `order_ended`, `order_active`
 */
export async function cancelOrder(
  tx: Tx,
  cancel: { orderId: string; actor: string; reason: string | null; now: string },
): Promise<void> {
  const subscriptions = await lockSubscriptionsOf(tx, cancel.orderId)
  const order = await lockOrder(tx, cancel.orderId, cancel.now)
  if (order.cancelled_at !== null || order.expired_at !== null)
    throw new BusinessError('order_ended', 'The order was cancelled, or has expired, already.')
  const living = subscriptions.filter(({ phase }) => phase !== 'ordered' && phase !== 'building')
  if (living.length > 0 || subscriptions.length === 0) {
    throw new BusinessError(
      'order_active',
      'The order is carried out. Cancel its subscriptions instead, each at the end of what is paid or now.',
    )
  }
  const { actor, reason } = cancel
  await closeOrder(tx, order, { end: 'cancelled', actor, reason: reason ?? 'The order was cancelled.' })
}

/**
 * What an order leaves whose subscription has ended before it was active. When it was the last one, and none of the others was
 * ever active, the order waits for nothing any more and its money is given back. Called with the subscription locked.
 */
export async function settleUnbuilt(tx: Tx, orderId: string, now: string): Promise<void> {
  const order = await lockOrder(tx, orderId, now)
  const others = await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('order_id', '=', orderId)
    .where((eb) => eb.or([eb('phase', '<>', 'ended'), eb('activated_at', 'is not', null)]))
    .limit(1)
    .executeTakeFirst()
  if (others !== undefined) return
  if (order.cancelled_at === null && order.expired_at === null) {
    const reason = 'All its subscriptions were cancelled before they were active.'
    await closeOrder(tx, order, { end: 'cancelled', actor: 'Clouder', reason })
  }
  await giveBackPayment(tx, orderId, now)
}

/** One line in the timeline of each subscription. */
export async function tellOfOrder(
  tx: Tx,
  order: LockedOrder,
  kind: EventKind,
  data: Record<string, unknown>,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from subscriptions where order_id = ${order.id} order by id`.execute(tx)
  await insertEvents(
    tx,
    rows.map(({ id }) => ({
      kind,
      customerId: order.customer_id,
      subscriptionId: id,
      businessAt: order.nowAt,
      data: { order: encodeId('order', order.id), ...data },
    })),
  )
}
