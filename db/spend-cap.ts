import { sql, type Selectable } from 'kysely'
import { formatMoney, fromMinor } from '#domain/money.ts'
import { isStoppedAt, reachedAlerts, sayAlert, type SpendCap, type SpendCapOwner } from '#domain/spend.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { readPresentCost, type PresentCost } from './present-usage.ts'
import { holdInstances } from './spend-hold.ts'
import { lockSubscription, type Subscription } from './subscription.ts'
import type { SpendCapsTable } from './tables/usage.ts'
import { giveWarnings } from './usage-warning.ts'

export type SpendCapRow = Selectable<SpendCapsTable>

/** The caps of a subscription: the customer's own first. */
export async function listSpendCaps(db: Db, subscriptionId: string): Promise<SpendCapRow[]> {
  return await db
    .selectFrom('spend_caps')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .orderBy('set_by')
    .execute()
}

/**
 * Says what usage of a subscription may cost a period, in place of what the same one said before, and looks at once what follows.
 * What is said already changes nothing and is not told again: a form may be sent twice.
 */
export async function setSpendCap(
  tx: Tx,
  subscriptionId: string,
  { cap, actor, now }: { cap: SpendCap; actor: string; now: string },
): Promise<void> {
  const subscription = await lockSubscription(tx, subscriptionId)
  const at = subscription.test_clock_now_at ?? now
  const before = await findCap(tx, subscriptionId, cap.setBy)
  if (before !== undefined && isSaid(before, cap)) return
  const said = {
    amount_minor: cap.amountMinor,
    effect: cap.effect,
    alerts: JSON.stringify(cap.alerts),
    actor,
    set_at: now,
  }
  // What only tells holds nothing.
  if (before?.held_since != null && cap.effect === 'alert') await letGo(tx, subscription, before, at)
  await tx
    .insertInto('spend_caps')
    .values({ subscription_id: subscriptionId, set_by: cap.setBy, ...said, held_since: null })
    .onConflict((conflict) => conflict.columns(['subscription_id', 'set_by']).doUpdateSet(said))
    .execute()
  await tellOfCap(tx, subscription, {
    kind: 'spend.cap_changed',
    setBy: cap.setBy,
    actor,
    says: `${formatMoney(cap.amountMinor, subscription.currency)} a period, ${cap.effect === 'stop' ? 'stop at it' : 'tell of it'}`,
    now: at,
  })
  if (before !== undefined && before.amount_minor !== cap.amountMinor)
    await beginWarningsAnew(tx, subscription, before)
  await watchSpend(tx, subscriptionId, now)
}

function isSaid(before: SpendCapRow, { amountMinor, effect, alerts }: SpendCap): boolean {
  const isSameAlerts = JSON.stringify(before.alerts) === JSON.stringify(alerts)
  return before.amount_minor === amountMinor && before.effect === effect && isSameAlerts
}

/**
 * Shares of another amount are other ones: what was told of the amount before stays, under that amount, and each share of the new
 * one is told of once.
 */
async function beginWarningsAnew(tx: Tx, { id, currency }: Subscription, before: SpendCapRow): Promise<void> {
  const amount = formatMoney(before.amount_minor, currency)
  await sql`
    update usage_warnings warned set threshold = threshold || ' of ' || ${amount}::text
    where subscription_id = ${id} and kind = 'spend' and subject = ${before.set_by} and threshold like '% \\%'
      and not exists (select from usage_warnings other where other.subscription_id = warned.subscription_id
        and other.kind = 'spend' and other.subject = warned.subject and other.period_starts_on = warned.period_starts_on
        and other.threshold = warned.threshold || ' of ' || ${amount}::text)`.execute(tx)
}

/** Takes a cap away; nothing is held by it any more. */
export async function removeSpendCap(
  tx: Tx,
  subscriptionId: string,
  { setBy, actor, now }: { setBy: SpendCapOwner; actor: string; now: string },
): Promise<void> {
  const subscription = await lockSubscription(tx, subscriptionId)
  const at = subscription.test_clock_now_at ?? now
  const cap = await findCap(tx, subscriptionId, setBy)
  if (cap === undefined) return
  if (cap.held_since !== null) await letGo(tx, subscription, cap, at)
  await tx
    .deleteFrom('spend_caps')
    .where('subscription_id', '=', subscriptionId)
    .where('set_by', '=', setBy)
    .execute()
  await beginWarningsAnew(tx, subscription, cap)
  await tellOfCap(tx, subscription, {
    kind: 'spend.cap_changed',
    says: 'none any more',
    setBy,
    actor,
    now: at,
  })
}

async function findCap(
  tx: Tx,
  subscriptionId: string,
  setBy: SpendCapOwner,
): Promise<SpendCapRow | undefined> {
  const caps = await listSpendCaps(tx, subscriptionId)
  return caps.find((cap) => cap.set_by === setBy)
}

/**
 * Compares what usage of a subscription costs in its present period with its caps: warns, each share once a period, holds what a cap
 * stops, and lets go what none stops any more. Looked at again without a change, it does nothing.
 * @returns the present cost; null where there is no cap
 */
export async function watchSpend(db: Db, subscriptionId: string, now: string): Promise<PresentCost | null> {
  return await within(db, async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const caps = await listSpendCaps(tx, subscriptionId)
    if (caps.length === 0 || subscription.phase !== 'active') return null
    const at = subscription.test_clock_now_at ?? now
    const present = await readPresentCost(tx, subscriptionId, at)
    for (const cap of caps) {
      await warnOfSpend(tx, { subscription, cap, present, now: at })
      const isStopped = isStoppedAt(toCap(cap), present.costMinor)
      if (isStopped && cap.held_since === null)
        await hold(tx, { subscription, cap, costMinor: present.costMinor, now: at })
      if (!isStopped && cap.held_since !== null) await letGo(tx, subscription, cap, at)
    }
    // One that was made, or resumed, since the cap holds is held as well.
    await holdInstances(tx, subscription)
    return present
  })
}

function toCap({ set_by, amount_minor, effect, alerts }: SpendCapRow): SpendCap {
  return { setBy: set_by, amountMinor: amount_minor, effect, alerts }
}

interface Watched {
  readonly subscription: Subscription
  readonly cap: SpendCapRow
  readonly now: string
}

async function warnOfSpend(
  tx: Tx,
  { subscription, cap, present, now }: Watched & { present: PresentCost },
): Promise<void> {
  const { currency } = subscription
  const { costMinor, periodStartsOn } = present
  if (periodStartsOn === null) return
  const warnings = reachedAlerts(toCap(cap), costMinor).map((alert) => ({
    subscriptionId: subscription.id,
    customerId: subscription.customer_id,
    kind: 'spend' as const,
    firstLineId: null,
    subject: cap.set_by,
    threshold: sayAlert(alert, currency),
    periodStartsOn,
    used: fromMinor(costMinor, currency).toFixed(),
    ceiling: fromMinor(cap.amount_minor, currency).toFixed(),
    unit: currency,
    data: {
      set_by: cap.set_by,
      cost: formatMoney(costMinor, currency),
      cap: formatMoney(cap.amount_minor, currency),
    },
    businessAt: subscription.test_clock_id === null ? null : now,
  }))
  await giveWarnings(tx, warnings, now)
}

async function hold(
  tx: Tx,
  { subscription, cap, costMinor, now }: Watched & { costMinor: number },
): Promise<void> {
  await setHeld(tx, { subscription, cap }, now)
  await tellOfCap(tx, subscription, {
    kind: 'spend.cap_reached',
    setBy: cap.set_by,
    cost: formatMoney(costMinor, subscription.currency),
    cap: formatMoney(cap.amount_minor, subscription.currency),
    now,
  })
}

async function letGo(tx: Tx, subscription: Subscription, cap: SpendCapRow, now: string): Promise<void> {
  await setHeld(tx, { subscription, cap }, null)
  await tellOfCap(tx, subscription, { kind: 'spend.cap_lifted', setBy: cap.set_by, now })
}

async function setHeld(
  tx: Tx,
  { subscription, cap }: Omit<Watched, 'now'>,
  heldSince: string | null,
): Promise<void> {
  await tx
    .updateTable('spend_caps')
    .set({ held_since: heldSince })
    .where('subscription_id', '=', cap.subscription_id)
    .where('set_by', '=', cap.set_by)
    .execute()
  await holdInstances(tx, subscription)
}

async function tellOfCap(
  tx: Tx,
  subscription: Subscription,
  {
    kind,
    setBy,
    now,
    ...data
  }: {
    kind: 'spend.cap_changed' | 'spend.cap_reached' | 'spend.cap_lifted'
    setBy: SpendCapOwner
    now: string
    says?: string
    actor?: string
    cost?: string
    cap?: string
  },
): Promise<void> {
  await insertEvent(tx, {
    kind,
    customerId: subscription.customer_id,
    subscriptionId: subscription.id,
    data: { set_by: setBy, ...data },
    ...(subscription.test_clock_id === null ? {} : { businessAt: now }),
  })
}
