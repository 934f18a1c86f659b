import { readAgenda } from '#db/agenda.ts'
import { billFinal, billPeriod } from '#db/billing.ts'
import type { Db } from '#db/database.ts'
import { getSubscription, setPhase } from '#db/subscription.ts'
import { findNextClockStep, listClockSubscriptions, moveTestClock } from '#db/test-clock-step.ts'

/**
 * Moves a test clock on, from one due instant to the next, and does at each what the workflows of its subscriptions do then:
 * periods that are due are billed, and what ends has its last bill.
 */
export async function moveClock(db: Db, testClockId: string, targetAt: string): Promise<void> {
  for (;;) {
    const { now_at: from } = await db
      .selectFrom('test_clocks')
      .select('now_at')
      .where('id', '=', testClockId)
      .executeTakeFirstOrThrow()
    const to = await findNextClockStep(db, testClockId, targetAt)
    const now = await moveTestClock(db, testClockId, { from, to })
    for (const subscriptionId of await listClockSubscriptions(db, testClockId)) {
      await settle(db, subscriptionId, now)
    }
    if (Date.parse(now) >= Date.parse(targetAt)) return
  }
}

async function settle(db: Db, subscriptionId: string, now: string): Promise<void> {
  const { phase } = await getSubscription(db, subscriptionId)
  if (phase !== 'active') return
  for (;;) {
    const { documents } = await readAgenda(db, subscriptionId, now)
    const due = documents
      .filter(({ dueAt }) => Date.parse(dueAt) <= Date.parse(now))
      .toSorted((first, second) => Date.parse(first.dueAt) - Date.parse(second.dueAt))[0]
    if (!due) break
    await billPeriod(db, due, now)
  }
  const { endsAt } = await readAgenda(db, subscriptionId, now)
  if (endsAt === null || Date.parse(endsAt) > Date.parse(now)) return
  await billFinal(db, subscriptionId, now)
  await setPhase(db, subscriptionId, { phase: 'unbuilding', now })
  await setPhase(db, subscriptionId, { phase: 'ended', now })
}
