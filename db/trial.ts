import { dateIn, laterDate } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { trialNoticeOn, trialOf, type TrialEnd } from '#domain/trial.ts'
import { activateSubscription } from './activation.ts'
import type { Db, Tx } from './database.ts'
import type { OrderContext } from './order-context.ts'
import { findPlannedPause, pauseSubscription } from './pause.ts'
import { setTerm } from './renewal.ts'
import { cancelSubscription } from './subscription-command.ts'
import { getSubscription, lockSubscription, tellOf, type Subscription } from './subscription.ts'

type Ordered = Pick<OrderContext, 'planned' | 'additions' | 'customer'>

interface TriedProduct {
  readonly id: string
  readonly code: string
  readonly isOnce: boolean
}

/** Products with a trial, in the order of their ids, so that two orders never wait for each other. */
function triedProducts({ planned, additions }: Ordered): TriedProduct[] {
  const lines = [
    ...planned.flatMap((subscription) => subscription.lines),
    ...additions.map(({ line }) => line),
  ]
  const tried = lines
    .filter(({ product }) => (product.terms.trialDays ?? 0) > 0)
    .map(
      ({ product: { id, code, terms } }) => [id, { id, code, isOnce: terms.isTrialOnce ?? false }] as const,
    )
  return [...new Map(tried).values()].toSorted((first, second) => first.id.localeCompare(second.id))
}

/**
 * Remembers what the customer tries. Of orders at the same moment one is first, and the others are refused where the
 * product gives its trial once.
 * @throws `trial_used`
 */
export async function useTrials(
  tx: Tx,
  ordered: Ordered,
  { orderId, testClockId }: { orderId: string; testClockId: string | null },
): Promise<void> {
  for (const product of triedProducts(ordered)) {
    const first = await tx
      .insertInto('used_trials')
      .values({
        customer_id: ordered.customer.id,
        product_id: product.id,
        test_clock_id: testClockId,
        order_id: orderId,
      })
      .onConflict((conflict) => conflict.constraint('one_trial_per_customer').doNothing())
      .returning('product_id')
      .executeTakeFirst()
    if (!first && product.isOnce) throw trialUsed(product)
  }
}

/** The same for a preview, which uses none. @throws `trial_used` */
export async function refuseUsedTrials(db: Db, ordered: Ordered, testClockId: string | null): Promise<void> {
  for (const product of triedProducts(ordered).filter(({ isOnce }) => isOnce)) {
    const used = await db
      .selectFrom('used_trials')
      .select('product_id')
      .where('customer_id', '=', ordered.customer.id)
      .where('product_id', '=', product.id)
      .where('test_clock_id', 'is not distinct from', testClockId)
      .executeTakeFirst()
    if (used) throw trialUsed(product)
  }
}

function trialUsed({ code }: TriedProduct): BusinessError {
  return new BusinessError(
    'trial_used',
    `The customer has tried ${code} already; it is given once. Order it without_trial.`,
  )
}

const overReason = 'The trial is over.'

/** Activates, and plans the end of the trial with it: nobody sees it active without knowing what comes. Both are done once. */
export async function beginSubscription(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await activateSubscription(tx, subscriptionId, now)
    await beginTerm(tx, subscriptionId, now)
    await planTrialEnd(tx, subscriptionId, now)
  })
}

/** The fixed term that the order, or its template, agreed: counted from the first day of service. */
async function beginTerm(tx: Tx, subscriptionId: string, now: string): Promise<void> {
  const row = await tx
    .selectFrom('subscriptions')
    .innerJoin('order_lines', 'order_lines.id', 'subscriptions.order_line_id')
    .select('order_lines.agreed')
    .where('subscriptions.id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const key = { subscriptionId, requestId: 'agreed-term', actor: 'Clouder', now }
  if (row.agreed.term) await setTerm(tx, key, row.agreed.term)
}

/** A pause without an end, or a cancellation; both can be withdrawn before, which makes it be billed. */
async function planTrialEnd(db: Tx, subscriptionId: string, now: string): Promise<void> {
  const subscription = await getSubscription(db, subscriptionId)
  const lines = await db
    .selectFrom('subscription_lines')
    .select('terms')
    .where('subscription_id', '=', subscriptionId)
    .whereRef('id', '=', 'first_line_id')
    .execute()
  if (subscription.starts_on === null) return
  const trial = trialOf(
    lines.map(({ terms }) => terms),
    subscription.starts_on,
  )
  if (trial === null) return
  await db
    .updateTable('subscriptions')
    .set({ trial_ends_on: trial.endsOn })
    .where('id', '=', subscriptionId)
    .execute()
  const key = { subscriptionId, requestId: 'trial', actor: 'Clouder', now }
  const endsOn = laterDate(trial.endsOn, dateIn(subscription.time_zone, now))
  if (trial.becomes === 'suspend') await pauseSubscription(db, key, { startsOn: endsOn, reason: overReason })
  if (trial.becomes === 'cancel')
    await cancelSubscription(db, key, { when: 'date', endsOn, reason: overReason, reasonCode: 'trial_over' })
}

/** The day on which the end of the trial is to be told; null where there is nothing to tell any more. */
export function trialToldOn(subscription: Subscription, today: string): string | null {
  const { trial_ends_on: endsOn, trial_told_at: toldAt } = subscription
  return endsOn === null || toldAt !== null || endsOn <= today ? null : trialNoticeOn(endsOn)
}

/**
 * Tells once, some days before, that a trial ends, and what becomes of it then as things stand. Of one that was cancelled by
 * then there is nothing to tell.
 */
export async function tellTrialEnd(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const today = dateIn(subscription.time_zone, now)
    if (trialToldOn(subscription, today) === null) return
    await tx
      .updateTable('subscriptions')
      .set({ trial_told_at: now })
      .where('id', '=', subscriptionId)
      .execute()
    const becomes = await readTrialEnd(tx, subscription, today)
    if (becomes === null) return
    const data = { ends_on: subscription.trial_ends_on, becomes }
    await tellOf(tx, subscription, 'subscription.trial_ending', { now, data })
  })
}

async function readTrialEnd(tx: Tx, subscription: Subscription, today: string): Promise<TrialEnd | null> {
  const { trial_ends_on: trialEndsOn, ends_on: endsOn } = subscription
  if (subscription.cancel_reason_code === 'trial_over') return 'cancel'
  if (trialEndsOn !== null && endsOn !== null && endsOn <= trialEndsOn) return null
  const pause = await findPlannedPause(tx, subscription.id, today)
  return pause?.start === trialEndsOn ? 'suspend' : 'bill'
}
