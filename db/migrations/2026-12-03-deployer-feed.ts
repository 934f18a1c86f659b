import { sql, type Kysely } from 'kysely'

/** A reading of a deployer's usage feed that was broken off goes on where it was: whatever is behind by days is caught up with. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
-- Until it comes to the feed's end: where it goes on, where the one after it begins, and since when it reads.
alter table deployers add column usage_reading jsonb check (jsonb_typeof(usage_reading) = 'object')`,
    )
    .execute(db)
}
