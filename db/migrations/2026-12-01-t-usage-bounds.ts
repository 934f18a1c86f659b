import { sql, type Kysely } from 'kysely'

/**
 * How late and how early a usage event may come. Never later than hours of readings and billed windows are kept for it, and no earlier
 * than clocks of other machines go ahead.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table installation
  add column usage_late_days integer not null default 100 check (usage_late_days between 1 and 100),
  add column usage_early_seconds integer not null default 300 check (usage_early_seconds between 0 and 3600);
`,
    )
    .execute(db)
}
