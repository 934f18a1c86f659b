import { billFinal, billPeriod } from '#db/billing.ts'
import { DocumentNotReady } from '#db/bill.ts'
import { readAgenda } from '#db/agenda.ts'
import type { Db } from '#db/database.ts'
import { beginPause, endPause } from '#db/pause.ts'
import { renewTerm } from '#db/renewal.ts'
import { setPhase } from '#db/subscription.ts'
import { findNextClockStep, listClockSubscriptions, moveTestClock } from '#db/test-clock-step.ts'

/**
 * Moves a clock on as the workflows do, without them: from due instant to due instant, and at each of them every
 * subscription does what is due. For stories by the hundred; the workflows themselves are shown elsewhere.
 */
export async function advanceClock(
  db: Db,
  testClockId: string,
  to: string,
  around: (next: string, step: () => Promise<void>) => Promise<void> = async (_, step) => step(),
): Promise<void> {
  for (;;) {
    const { now_at: from } = await db
      .selectFrom('test_clocks')
      .select('now_at')
      .where('id', '=', testClockId)
      .executeTakeFirstOrThrow()
    if (Date.parse(from) >= Date.parse(to)) return
    const next = await findNextClockStep(db, testClockId, to)
    await around(next, async () => {
      await moveTestClock(db, testClockId, { from, to: next })
      for (const id of await listClockSubscriptions(db, testClockId)) await settleSubscription(db, id, next)
    })
  }
}

/** What a subscription does at an instant: its end, or its term, pauses and the periods that are due. */
export async function settleSubscription(db: Db, subscriptionId: string, now: string): Promise<void> {
  const agenda = await readAgenda(db, subscriptionId, now)
  const isReached = (at: string | null) => at !== null && Date.parse(at) <= Date.parse(now)
  if (isReached(agenda.endsAt)) {
    await billDuePeriods(db, subscriptionId, now)
    await billFinal(db, subscriptionId, now)
    await setPhase(db, subscriptionId, { phase: 'unbuilding', now })
    return await setPhase(db, subscriptionId, { phase: 'ended', now })
  }
  if (isReached(agenda.termAt)) await renewTerm(db, subscriptionId, now)
  if (isReached(agenda.pauseAt)) await beginPause(db, subscriptionId, now)
  if (isReached(agenda.resumeAt)) await endPause(db, subscriptionId, now)
  await billDuePeriods(db, subscriptionId, now)
}

/** Every period of its documents that has begun; one that waits for readings is tried again at the next step. */
async function billDuePeriods(db: Db, subscriptionId: string, now: string): Promise<void> {
  const { documents } = await readAgenda(db, subscriptionId, now)
  for (const { documentId, periodIndex, dueAt } of documents) {
    let next: { periodIndex: number; dueAt: string } | null = { periodIndex, dueAt }
    while (next !== null && Date.parse(next.dueAt) <= Date.parse(now)) {
      try {
        const billed = await billPeriod(db, { documentId, periodIndex: next.periodIndex }, now)
        next = billed.next
      } catch (error) {
        if (!(error instanceof DocumentNotReady)) throw error
        next = null
      }
    }
  }
}
