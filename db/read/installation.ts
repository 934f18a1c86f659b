import type { Db } from '../database.ts'

/** The one installation: its id, and what a new customer gets when its request leaves it out. */
export async function getInstallation(db: Db): Promise<{ id: string; currency: string; timeZone: string }> {
  const row = await db
    .selectFrom('installation')
    .select(['id', 'currency', 'time_zone'])
    .executeTakeFirstOrThrow()
  return { id: row.id, currency: row.currency, timeZone: row.time_zone }
}
