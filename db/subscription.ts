import { BusinessError } from '#domain/errors.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import { within, type Db, type Tx } from './database.ts'
import { releaseEnvironment } from './environment.ts'
import { insertEvent, type EventKind } from './event.ts'
import { settleUnbuilt } from './order-end.ts'
import { closeTasks } from './task.ts'

/** A row with its customer's time zone. @throws `subscription_unknown` */
export async function getSubscription(db: Db, subscriptionId: string) {
  const row = await db
    .selectFrom('subscriptions')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .leftJoin('test_clocks', 'test_clocks.id', 'subscriptions.test_clock_id')
    .selectAll('subscriptions')
    .select(['customers.time_zone', 'test_clocks.now_at as test_clock_now_at'])
    .where('subscriptions.id', '=', subscriptionId)
    .executeTakeFirst()
  if (!row) throw new BusinessError('subscription_unknown', 'There is no such subscription.')
  return row
}

export type Subscription = Awaited<ReturnType<typeof getSubscription>>

/**
 * Locks the row first: two commands on one subscription never decide from the same state. Its key is left unlocked, so that
 * an invoice line of billing, which names the subscription, need not wait for the command.
 */
export async function lockSubscription(tx: Tx, subscriptionId: string): Promise<Subscription> {
  await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('id', '=', subscriptionId)
    .forNoKeyUpdate()
    .execute()
  return await getSubscription(tx, subscriptionId)
}

/** What a timeline tells of a change of phase, and who asked for it. */
export interface PhaseReason {
  readonly event?: EventKind
  readonly suspendedReason?: string
  readonly actor?: string
}

/** Moves a subscription to its next phase and tells of it; moving it where it stands changes nothing. */
export async function setPhase(
  db: Db,
  subscriptionId: string,
  to: { phase: SubscriptionPhase; now: string } & PhaseReason,
): Promise<void> {
  await within(db, async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.phase === to.phase) return
    await tx
      .updateTable('subscriptions')
      .set({
        phase: to.phase,
        suspended_reason: to.suspendedReason ?? null,
        ended_at: to.phase === 'ended' ? to.now : null,
      })
      .where('id', '=', subscriptionId)
      .execute()
    if (to.phase === 'ended' && subscription.activated_at === null) {
      await settleUnbuilt(tx, subscription.order_id, to.now)
      await releaseEnvironment(tx, subscription.environment_id, to.now)
    }
    if (to.event)
      await tellOf(tx, subscription, to.event, {
        now: to.now,
        data: {
          ...(to.suspendedReason ? { reason: to.suspendedReason } : {}),
          ...(to.actor ? { actor: to.actor } : {}),
        },
      })
  })
}

/** How operators sort it, and what they say of it. What is left out stays. */
export async function labelSubscription(
  tx: Tx,
  subscriptionId: string,
  labels: { tags?: readonly string[] | undefined; notes?: string | null | undefined },
): Promise<void> {
  const { tags, notes } = labels
  if (tags === undefined && notes === undefined) return
  await tx
    .updateTable('subscriptions')
    .set({
      ...(tags === undefined ? {} : { tags: [...new Set(tags)].toSorted() }),
      ...(notes === undefined ? {} : { notes }),
    })
    .where('id', '=', subscriptionId)
    .execute()
}

export async function tellOf(
  tx: Tx,
  subscription: { id: string; customer_id: string },
  kind: EventKind,
  what: { now: string; data?: Record<string, unknown> },
): Promise<void> {
  await insertEvent(tx, {
    kind,
    customerId: subscription.customer_id,
    subscriptionId: subscription.id,
    businessAt: what.now,
    data: what.data ?? {},
  })
}

/** Tasks of what parks a subscription. */
const parkingTasks = ['bill_failed', 'build_failed', 'unbuild_failed'] as const

/** Marks where a subscription is stuck, or that it is not any more; the open task is closed with the cause. */
export async function setParked(
  db: Db,
  subscriptionId: string,
  parked: { reason: string | null; now: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.parked_reason === parked.reason) return
    await tx
      .updateTable('subscriptions')
      .set({ parked_reason: parked.reason })
      .where('id', '=', subscriptionId)
      .execute()
    if (parked.reason === null)
      await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'resolved' }, parkingTasks)
    const kind = parked.reason === null ? 'subscription.unparked' : 'subscription.parked'
    await tellOf(tx, subscription, kind, {
      now: parked.now,
      data: parked.reason === null ? {} : { reason: parked.reason },
    })
  })
}
