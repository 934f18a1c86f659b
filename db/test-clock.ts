import type { Db } from './database.ts'
import { newId } from './identifier.ts'

export async function insertTestClock(db: Db, clock: { name: string; nowAt: string }): Promise<string> {
  const id = newId()
  await db
    .insertInto('test_clocks')
    .values({ id, name: clock.name, now_at: clock.nowAt, target_at: null })
    .execute()
  return id
}

/** The clock, locked until the transaction ends, so that two advances come one after the other. */
export async function lockTestClock(
  db: Db,
  id: string,
): Promise<{ nowAt: string; targetAt: string | null } | undefined> {
  const row = await db
    .selectFrom('test_clocks')
    .select(['now_at', 'target_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && { nowAt: row.now_at, targetAt: row.target_at }
}

export async function setTestClockTarget(db: Db, id: string, targetAt: string): Promise<void> {
  await db.updateTable('test_clocks').set({ target_at: targetAt }).where('id', '=', id).execute()
}
