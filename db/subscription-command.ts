import { sql } from 'kysely'
import { compareDates, dateIn } from '#domain/calendar.ts'
import type { EndReason } from '#domain/cancellation.ts'
import { periodEndAfter } from '#domain/change.ts'
import { fieldError } from '#domain/errors.ts'
import type { CancelMoment } from '#domain/subscription.ts'
import { findLastCommand, once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import {
  endLine,
  endLinesOn,
  listLines,
  openLine,
  takeBackLeniently,
  type LineChanges,
} from './line-change.ts'
import { endByTerm, termEndOnNotice } from './renewal.ts'
import { refuseNeededOffers } from './offering.ts'
import { reopenDocuments } from './reopened-document.ts'
import { listDocuments, toCycling } from './subscription-documents.ts'
import { tellOf } from './subscription.ts'

export type { CommandKey } from './command.ts'

export interface Cancellation {
  readonly when: CancelMoment
  /** In words. */
  readonly reason: string
  /** As reports count it; left out, another than those of the list. */
  readonly reasonCode?: EndReason | undefined
  /** The first day that is not billed, for `date`. */
  readonly endsOn?: string | undefined
  /** The first day on which nothing runs any more: later than billing ends, where a customer shall fetch what is his (C-41). */
  readonly serviceEndsOn?: string | undefined
}

/**
 * Ends every line at the end of what is paid for, on a day, or now; what was to begin after that never does. Cancelled
 * again, the newer cancellation counts.
 * @throws `date_range_invalid`, `offer_in_use`
 */
export async function cancelSubscription(db: Db, key: CommandKey, cancel: Cancellation): Promise<void> {
  await once(db, key, 'cancel', async (changes, subscription) => {
    const { reasonCode = 'other' } = cancel
    // A trial is over whoever has found use for it meanwhile.
    if (reasonCode !== 'trial_over') await refuseNeededOffers(changes.tx, subscription.id)
    if (subscription.cancel_requested_at !== null) await takeBackCancellation(changes)
    const today = dateIn(subscription.time_zone, key.now)
    const { endsOn, serviceEndsOn } = await decideEnd(changes, cancel, today)
    await endLinesOn(changes, { endsOn, today })
    await changes.tx
      .updateTable('subscriptions')
      .set({
        cancel_requested_at: key.now,
        cancel_reason: cancel.reason,
        cancel_reason_code: reasonCode,
        ends_on: serviceEndsOn,
      })
      .where('id', '=', key.subscriptionId)
      .execute()
    await tellOf(changes.tx, subscription, 'subscription.cancelled', {
      now: key.now,
      data: {
        when: cancel.when,
        reason: cancel.reason,
        reason_code: reasonCode,
        ends_on: serviceEndsOn,
        ...(serviceEndsOn === endsOn ? {} : { billing_ends_on: endsOn }),
        actor: key.actor,
      },
    })
  })
}

async function decideEnd(
  { tx, subscription }: LineChanges,
  cancel: Cancellation,
  today: string,
): Promise<{ endsOn: string; serviceEndsOn: string }> {
  const endsOn = await billingEnd(cancel, today, async () => {
    const documents = await listDocuments(tx, subscription.id)
    return termEndOnNotice(subscription, today) ?? periodEndAfter(documents.map(toCycling), today)
  })
  const serviceEndsOn = cancel.serviceEndsOn ?? endsOn
  if (compareDates(serviceEndsOn, endsOn) < 0) {
    const detail = `It is billed until ${endsOn}; it cannot stop running before that.`
    throw fieldError('/service_ends_on', 'date_range_invalid', detail)
  }
  return { endsOn, serviceEndsOn }
}

async function billingEnd(
  cancel: Cancellation,
  today: string,
  periodEnd: () => Promise<string>,
): Promise<string> {
  if (cancel.when === 'now') return today
  if (cancel.when === 'period_end') return await periodEnd()
  if (cancel.endsOn !== undefined && compareDates(cancel.endsOn, today) >= 0) return cancel.endsOn
  throw fieldError('/ends_on', 'date_range_invalid', `A cancellation names a day from ${today} on.`)
}

/**
 * Withdraws a cancellation before it took effect: the lines that it ended go on without a hole, and what was planned
 * before it is planned again.
 */
export async function uncancelSubscription(db: Db, key: CommandKey): Promise<void> {
  await once(db, key, 'uncancel', async (changes, subscription) => {
    await takeBackCancellation(changes)
    await changes.tx
      .updateTable('subscriptions')
      .set({
        cancel_requested_at: null,
        cancel_reason: null,
        cancel_reason_code: null,
        ends_on: endByTerm(subscription),
      })
      .where('id', '=', key.subscriptionId)
      .execute()
    await tellOf(changes.tx, subscription, 'subscription.uncancelled', {
      now: key.now,
      data: { actor: key.actor },
    })
  })
}

async function takeBackCancellation(changes: LineChanges): Promise<void> {
  const requestId = await findLastCommand(changes, 'cancel')
  if (requestId === undefined) return
  await takeBackLeniently(changes, requestId)
  await reopenDocuments(changes.tx, changes.subscription)
  await serveCreditedDays(changes)
}

/** Where billing ended before service, days may be credited by now: a line that follows is charged for them. */
async function serveCreditedDays(changes: LineChanges): Promise<void> {
  const { rows } = await sql<{ id: string; starts_on: string }>`
    select line.id, min(lower(credit.service_period)) as starts_on
    from subscription_lines line join invoice_lines credit on credit.subscription_line_id = line.id and credit.kind = 'credit'
    where line.subscription_id = ${changes.subscription.id}
      and (line.ends_on is null or line.ends_on > lower(credit.service_period))
      and not exists (select from invoice_lines undone where undone.credits_line_id = credit.id)
    group by line.id`.execute(changes.tx)
  const creditedFrom = new Map(rows.map((row) => [row.id, row.starts_on]))
  for (const line of await listLines(changes.tx, [...creditedFrom.keys()])) {
    const startsOn = creditedFrom.get(line.id) ?? line.starts_on
    await endLine(changes, line, startsOn)
    const { ends_on, closed_by } = line
    await openLine(changes, line, { starts_on: startsOn, ends_on, closed_by })
  }
}
