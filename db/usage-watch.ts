import { sql } from 'kysely'
import { messageOf } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { billEarly } from './early-bill.ts'
import type { Db } from './database.ts'
import { watchSpend } from './spend-cap.ts'
import { closeTasks, listOpenTasks, openTask } from './task.ts'

/** Of one subscription, or of all on a test clock or in real time. */
export type WatchedOf = { readonly subscriptionId: string } | { readonly testClockId: string | null }

/**
 * Looks at what is used within the periods that run: what reaches a cap is told and held, and what is not billed and has come to its
 * amount is invoiced early. One that cannot be looked at has a task; the others go on.
 * @param now real time; what lives on a test clock is looked at in its own
 */
export async function watchUsage(db: Db, of: WatchedOf, now: string): Promise<void> {
  const watched = await listWatched(db, of)
  const open = new Set((await listOpenTasks(db, ['usage_unwatched'])).map(({ subjectId }) => subjectId))
  for (const { id, clock_now_at: clockNow } of watched) {
    try {
      await watchSpend(db, id, now)
      await billEarly(db, id, clockNow ?? now)
      if (open.has(id))
        await closeTasks(db, { kind: 'subscription', id, reason: 'looked at' }, ['usage_unwatched'])
    } catch (error) {
      await openTask(db, {
        kind: 'usage_unwatched',
        subjectKind: 'subscription',
        subjectId: id,
        subject: `What ${encodeId('subscription', id)} uses cannot be compared with its caps`,
        detail: `${messageOf(error)} It is tried again within a minute.`,
      })
    }
  }
}

async function listWatched(db: Db, of: WatchedOf): Promise<{ id: string; clock_now_at: string | null }[]> {
  const isAsked =
    'subscriptionId' in of
      ? sql<boolean>`subscription.id = ${of.subscriptionId}`
      : sql<boolean>`subscription.test_clock_id is not distinct from ${of.testClockId}`
  const { rows } = await sql<{ id: string; clock_now_at: string | null }>`
    select subscription.id, clock.now_at as clock_now_at from subscriptions subscription
    left join test_clocks clock on clock.id = subscription.test_clock_id
    where ${isAsked} and subscription.phase = 'active' and (subscription.early_invoice_minor is not null
      or exists (select from spend_caps cap where cap.subscription_id = subscription.id))
    order by subscription.id`.execute(db)
  return rows
}
