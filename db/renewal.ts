import { addDays, billingInterval, compareDates, dateIn } from '#domain/calendar.ts'
import { endOnNotice, termOn, type FixedTerm } from '#domain/renewal.ts'
import { findLastCommand, once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import { endLinesOn, takeBackLeniently } from './line-change.ts'
import { lockSubscription, tellOf, type Subscription } from './subscription.ts'
import type { SubscriptionTerm } from './tables/subscription.ts'

/** Terms are counted from the subscription's first day, so that 31 January stays 31 January. */
function toFixedTerm(subscription: Subscription, term: SubscriptionTerm): FixedTerm | null {
  if (subscription.starts_on === null) return null
  return {
    startsOn: subscription.starts_on,
    length: billingInterval(term.length),
    notice: billingInterval(term.notice),
    isRenewed: term.renewal === 'renew',
  }
}

/** The day on which the subscription ends if notice is given today; null where it has no term. */
export function termEndOnNotice(subscription: Subscription, today: string): string | null {
  const term = subscription.term && toFixedTerm(subscription, subscription.term)
  return term ? endOnNotice(term, today) : null
}

/** The day on which it ends by its term, without anybody having cancelled it; null where it goes on. */
export function endByTerm(subscription: Pick<Subscription, 'term' | 'term_ends_on'>): string | null {
  return subscription.term?.renewal === 'end' ? subscription.term_ends_on : null
}

/**
 * Agrees a fixed term, counted from the first day of service: at its end it is renewed by itself, or the subscription ends
 * (C-35). The newer term counts.
 */
export async function setTerm(db: Db, key: CommandKey, term: SubscriptionTerm): Promise<void> {
  await once(db, key, 'setTerm', async (changes, subscription) => {
    const fixed = toFixedTerm(subscription, term)
    if (fixed === null) return
    const before = endByTerm(subscription) === null ? undefined : await findLastCommand(changes, 'setTerm')
    if (before !== undefined) await takeBackLeniently(changes, before)
    const today = dateIn(subscription.time_zone, key.now)
    const termEndsOn = termOn({ ...fixed, isRenewed: true }, today).endsOn
    const endsOn = term.renewal === 'end' ? termEndsOn : null
    if (endsOn !== null) await endLinesOn(changes, { endsOn, today })
    await changes.tx
      .updateTable('subscriptions')
      .set({ term: JSON.stringify(term), term_ends_on: termEndsOn, ends_on: endsOn })
      .where('id', '=', subscription.id)
      .execute()
    await tellOf(changes.tx, subscription, 'subscription.term_agreed', {
      now: key.now,
      data: { ends_on: termEndsOn, renewal: term.renewal, actor: key.actor },
    })
  })
}

/** Renews the term on its last day. Called again, it finds the work done. */
export async function renewTerm(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const renewed = renewedTerm(subscription, dateIn(subscription.time_zone, now))
    if (renewed === null) return
    await tx
      .updateTable('subscriptions')
      .set({ term_ends_on: renewed })
      .where('id', '=', subscriptionId)
      .execute()
    await tellOf(tx, subscription, 'subscription.renewed', { now, data: { ends_on: renewed } })
  })
}

function renewedTerm(subscription: Subscription, today: string): string | null {
  const { term, term_ends_on: endsOn } = subscription
  const fixed = term && toFixedTerm(subscription, term)
  if (!fixed?.isRenewed || endsOn === null || subscription.ends_on !== null) return null
  if (compareDates(today, addDays(endsOn, -1)) < 0) return null
  return termOn(fixed, compareDates(today, endsOn) < 0 ? endsOn : addDays(today, 1)).endsOn
}

/** The day on which the running term is renewed; null where it has none, or ends. */
export function renewsOn(subscription: Subscription): string | null {
  const { term, term_ends_on: endsOn, ends_on } = subscription
  return term?.renewal === 'renew' && endsOn !== null && ends_on === null ? addDays(endsOn, -1) : null
}
