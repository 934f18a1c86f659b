import type { Db } from './database.ts'

/** Notes that the server's worker was there. */
export async function touchServer(db: Db, serverId: string): Promise<void> {
  await db
    .updateTable('servers')
    .set({ last_seen_at: new Date().toISOString() })
    .where('id', '=', serverId)
    .execute()
}

/** The now of the subscriptions that live on a test clock, by subscription. */
export async function readTestClocks(
  db: Db,
  subscriptionIds: readonly string[],
): Promise<Map<string, string>> {
  if (subscriptionIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('subscriptions')
    .innerJoin('test_clocks', 'test_clocks.id', 'subscriptions.test_clock_id')
    .select(['subscriptions.id', 'test_clocks.now_at'])
    .where('subscriptions.id', 'in', subscriptionIds)
    .execute()
  return new Map(rows.map((row) => [row.id, row.now_at]))
}

export async function listServerIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('servers').select('id').orderBy('id').execute()
  return rows.map((row) => row.id)
}
