import { sql, type Kysely } from 'kysely'

/** Why what waits for a peer waits, as the last try has found it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table peers
  -- Null while messages are taken, or none was tried.
  add column waiting_reason text check (length(waiting_reason) between 1 and 1000);
`,
    )
    .execute(db)
}
