import { sql } from 'kysely'
import type { Db } from '#db/database.ts'

/** How many connections to this database wait for a lock: they have done all they can do. */
export async function countWaiting(db: Db): Promise<number> {
  const { rows } = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
  return rows.length
}
