import { sql } from 'kysely'
import { readAgenda } from './agenda.ts'
import type { Db } from './database.ts'

/** Subscriptions on the clock that have not ended, oldest first. */
export async function listClockSubscriptions(db: Db, testClockId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('subscriptions')
    .select('id')
    .where('test_clock_id', '=', testClockId)
    .where('phase', '<>', 'ended')
    .orderBy('id')
    .execute()
  return rows.map((row) => row.id)
}

/** The next instant after the clock's now at which one of its subscriptions has something to do; at most the target. */
export async function findNextClockStep(db: Db, testClockId: string, targetAt: string): Promise<string> {
  const clock = await db
    .selectFrom('test_clocks')
    .select('now_at')
    .where('id', '=', testClockId)
    .executeTakeFirstOrThrow()
  const instants = [targetAt, ...(await listExpiries(db, testClockId))]
  for (const subscriptionId of await listClockSubscriptions(db, testClockId)) {
    const agenda = await readAgenda(db, subscriptionId, clock.now_at)
    instants.push(
      ...[
        agenda.endsAt,
        agenda.changeAt,
        agenda.pauseAt,
        agenda.resumeAt,
        agenda.termAt,
        agenda.trialNoticeAt,
        ...agenda.documents.map((document) => document.dueAt),
      ].filter((at) => at !== null),
    )
  }
  const later = instants
    .filter((at) => Date.parse(at) > Date.parse(clock.now_at))
    .toSorted((first, second) => Date.parse(first) - Date.parse(second))
  const next = later[0] ?? targetAt
  return Date.parse(next) < Date.parse(targetAt) ? next : targetAt
}

/** When orders on the clock stop to be waited for. */
async function listExpiries(db: Db, testClockId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('order_holds')
    .innerJoin('orders', 'orders.id', 'order_holds.order_id')
    .select('expires_at')
    .where('orders.test_clock_id', '=', testClockId)
    .where('settled_at', 'is', null)
    .execute()
  return rows.flatMap(({ expires_at: at }) => at ?? [])
}

/**
 * Moves the clock on from an instant, and gives where it stands. One that stands elsewhere stays: a try before this one, or
 * another advance, moved it, and those who live on it must do what is due there before it goes on. Instants are
 * compared by the millisecond, as they are read.
 */
export async function moveTestClock(
  db: Db,
  testClockId: string,
  move: { from: string; to: string },
): Promise<string> {
  await db
    .updateTable('test_clocks')
    .set({ now_at: move.to })
    .where('id', '=', testClockId)
    .where(sql<boolean>`date_trunc('milliseconds', now_at) = ${move.from}`)
    .where('now_at', '<', move.to)
    .execute()
  const row = await db
    .selectFrom('test_clocks')
    .select('now_at')
    .where('id', '=', testClockId)
    .executeTakeFirstOrThrow()
  return row.now_at
}

/** The clock stands at its target, and all that live on it have done what was due. A later target stays. */
export async function settleTestClock(db: Db, testClockId: string, targetAt: string): Promise<void> {
  await db
    .updateTable('test_clocks')
    .set({ target_at: null })
    .where('id', '=', testClockId)
    .where('target_at', '<=', targetAt)
    .execute()
}
