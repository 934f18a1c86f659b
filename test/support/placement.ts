import { sql } from 'kysely'
import type { Db } from '#db/database.ts'

/** What is ordered next goes there: nothing further is placed on the other servers. */
export async function placeOn(db: Db, code: string): Promise<void> {
  const drainingSince = sql<string | null>`case when code = ${code} then null else now() end`
  await db.updateTable('servers').set({ draining_since: drainingSince }).execute()
}
