import type { Db } from './database.ts'

/** Subscriptions that have not ended, and are old enough that the relay had its turn. */
export async function listUnendedSubscriptions(db: Db): Promise<{ id: string }[]> {
  const aMinuteAgo = new Date(Date.now() - 60_000).toISOString()
  return await db
    .selectFrom('subscriptions')
    .select('id')
    .where('phase', '<>', 'ended')
    .where('created_at', '<', aMinuteAgo)
    .orderBy('id')
    .execute()
}
