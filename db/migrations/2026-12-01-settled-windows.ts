import { sql, type Kysely } from 'kysely'

/** What is noted of a window while a bill measures it waits for the bill, and outlives it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(measured).execute(db)
}

const measured = `
-- The transaction that has begun to measure the window: it alone settles it.
alter table unsettled_windows add column measured_by xid8;
`
