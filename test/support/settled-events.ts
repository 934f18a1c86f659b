import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { until } from './installation.ts'

/**
 * Waits until every event written so far is listed. The list shows what no running transaction of the whole database
 * server could still come before, and other tests share that server: a test that reads at once may read too early.
 */
export async function untilEventsAreListed(db: Db): Promise<void> {
  const { rows: written } = await sql<{ newest: string | null }>`
    select max(transaction_id)::text as newest from events`.execute(db)
  const newest = written[0]?.newest ?? '0'
  await until('the newest events are listed', async () => {
    const { rows } = await sql<{ is_listed: boolean }>`
      select ${newest}::xid8 < pg_snapshot_xmin(pg_current_snapshot()) as is_listed`.execute(db)
    return rows[0]?.is_listed === true
  })
}
