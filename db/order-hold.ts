import { BusinessError } from '#domain/errors.ts'
import {
  decideHolds,
  isAmountAsked,
  sayHold,
  type OrderChannel,
  type OrderHoldKind,
  type OrderHoldOutcome,
  type PlannedHold,
} from '#domain/order-hold.ts'
import type { PlannedSubscription } from '#domain/order.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { closeOrder, tellOfOrder } from './order-end.ts'
import { foreseeDue } from './order-due.ts'
import { lockOrder, lockSubscriptionsOf, type LockedOrder } from './order-lock.ts'
import { tellWorkflows } from './order-signal.ts'
import { insertPaymentRequest } from './payment-request.ts'
import { readSeller } from './seller.ts'
import { closeTasks, openTask, type NewTask } from './task.ts'

/** An order that is being confirmed, its subscriptions written. */
export interface ConfirmedOrder {
  readonly orderId: string
  readonly subscriptionIds: readonly string[]
  readonly planned: readonly PlannedSubscription[]
  /** The instant of the order in its own time. */
  readonly nowAt: string
}

/**
 * Decides what a confirmed order waits for before it is built, and writes that with it. Lines that join a subscription are
 * not waited for: it lives already.
 * @throws what the first invoices would be refused with, where the amount is asked for
 */
export async function openOrderHolds(tx: Tx, confirmed: ConfirmedOrder): Promise<void> {
  const { orderId, subscriptionIds, nowAt: now } = confirmed
  if (subscriptionIds.length === 0) return
  const order = await lockOrder(tx, orderId, now)
  const settings = await readSeller(tx)
  const buildTriggers = buildTriggersOf(confirmed.planned)
  const { channel, currency } = order
  const isAsked = isAmountAsked(settings, { channel, buildTriggers })
  const dueMinor = isAsked ? await foreseeDue(tx, subscriptionIds, now) : 0
  const customer = await readCustomer(tx, order)
  const holds = decideHolds(settings, { channel, buildTriggers, dueMinor, currency, customer, now })
  for (const hold of holds) await openHold(tx, order, hold, { now, dueMinor })
}

/**
 * What an order would wait for, were it confirmed now. What is due first is what the preview shows as due; the order itself
 * computes its first invoices.
 */
export async function foreseeHolds(
  db: Db,
  order: {
    readonly customerId: string
    readonly testClockId: string | null
    readonly channel: OrderChannel
    readonly currency: string
    readonly planned: readonly PlannedSubscription[]
    readonly dueMinor: number
    readonly now: string
  },
): Promise<PlannedHold[]> {
  if (order.planned.length === 0) return []
  const settings = await readSeller(db)
  const customer = await readCustomer(db, {
    customer_id: order.customerId,
    test_clock_id: order.testClockId,
    id: null,
  })
  return decideHolds(settings, { ...order, buildTriggers: buildTriggersOf(order.planned), customer })
}

function buildTriggersOf(planned: readonly PlannedSubscription[]) {
  return planned.flatMap(({ lines }) => lines.map((line) => line.product.terms.buildTrigger ?? null))
}

async function readCustomer(
  tx: Db,
  order: Pick<LockedOrder, 'customer_id' | 'test_clock_id'> & { readonly id: string | null },
) {
  const row = await tx
    .selectFrom('customers')
    .select(['country', 'email', 'mail_verified_at'])
    .where('id', '=', order.customer_id)
    .executeTakeFirstOrThrow()
  const earlier = await tx
    .selectFrom('orders')
    .select('id')
    .where('customer_id', '=', order.customer_id)
    .where('test_clock_id', 'is not distinct from', order.test_clock_id)
    .where('confirmed_at', 'is not', null)
    .where('id', 'is distinct from', order.id)
    .limit(1)
    .executeTakeFirst()
  const { country, email } = row
  return {
    country,
    email,
    isMailVerified: row.mail_verified_at !== null,
    isFirstOrder: earlier === undefined,
  }
}

async function openHold(
  tx: Tx,
  order: LockedOrder,
  hold: PlannedHold,
  { now, dueMinor }: { now: string; dueMinor: number },
): Promise<void> {
  const { kind, rule, detail, expiresAt } = hold
  await tx
    .insertInto('order_holds')
    .values({ id: newId(), order_id: order.id, kind, rule, detail, opened_at: now, expires_at: expiresAt })
    .execute()
  if (kind === 'payment' && expiresAt !== null) {
    const request = { orderId: order.id, currency: order.currency, totalMinor: dueMinor }
    await insertPaymentRequest(tx, { ...request, openedAt: now, expiresAt })
  }
  const taskKind = taskKinds[kind]
  if (taskKind !== undefined) {
    await openTask(tx, {
      kind: taskKind,
      subjectKind: 'order',
      subjectId: order.id,
      subject: kind === 'review' ? `Order to be reviewed: ${rule}` : 'Order to be accepted',
      detail: `${detail} Accept the order to have it built, or refuse it.`,
    })
  }
  await tellOfOrder(tx, order, 'order.held', { hold: kind, ...(rule === null ? {} : { rule }), detail })
}

/** Holds that an operator settles. */
const taskKinds: Readonly<Partial<Record<OrderHoldKind, NewTask['kind']>>> = {
  acceptance: 'order_acceptance',
  review: 'order_review',
}

export interface HoldSettlement {
  readonly orderId: string
  readonly kind: OrderHoldKind
  readonly outcome: OrderHoldOutcome
  readonly actor: string
  readonly reason: string | null
  /** The real time; an order on a test clock lives at the clock's. */
  readonly now: string
}

/**
 * Ends one hold of an order. When the last one is released, the order is released in this transaction: its subscriptions are
 * told by rows of the outbox. When one is refused, withdrawn or expires, the order ends with nothing built.
 * @throws `order_not_held`
 */
export async function settleOrderHold(tx: Tx, settlement: HoldSettlement): Promise<void> {
  const { orderId, kind, outcome, actor, reason } = settlement
  await lockSubscriptionsOf(tx, orderId)
  const order = await lockOrder(tx, orderId, settlement.now)
  const settled = await tx
    .updateTable('order_holds')
    .set({ settled_at: order.nowAt, outcome, settled_by: actor, reason })
    .where('order_id', '=', orderId)
    .where('kind', '=', kind)
    .where('settled_at', 'is', null)
    .where((eb) =>
      // What has not come in time cannot be released by what comes late.
      outcome === 'released'
        ? eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', order.nowAt)])
        : eb.lit(true),
    )
    .returning('id')
    .executeTakeFirst()
  if (!settled) throw new BusinessError('order_not_held', `The order is not ${sayHold(kind)} any more.`)
  const taskKind = taskKinds[kind]
  if (taskKind) await closeTasks(tx, { kind: 'order', id: orderId, reason: outcome }, [taskKind])
  const data = { hold: kind, actor, ...(reason === null ? {} : { reason }) }
  if (outcome !== 'released') {
    const end = outcome === 'expired' ? 'expired' : outcome === 'refused' ? 'refused' : 'cancelled'
    return await closeOrder(tx, order, { end, actor, reason: reason ?? sayEnd(kind, outcome) })
  }
  await tellOfOrder(tx, order, 'order.hold_released', data)
  if (await isHeld(tx, orderId)) return
  await tellOfOrder(tx, order, 'order.released', { actor })
  await tellWorkflows(tx, orderId, 'orderReleased')
}

function sayEnd(kind: OrderHoldKind, outcome: OrderHoldOutcome): string {
  return `The order was ${sayHold(kind)}, which ended as ${outcome}.`
}

async function isHeld(tx: Tx, orderId: string): Promise<boolean> {
  const open = await tx
    .selectFrom('order_holds')
    .select('id')
    .where('order_id', '=', orderId)
    .where('settled_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return open !== undefined
}
