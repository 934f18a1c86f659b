import { sql, type Kysely } from 'kysely'

/** What a product switches on in applications, or the value that it has there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table product_versions add column features jsonb not null default '{}' check (jsonb_typeof(features) = 'object')`,
    )
    .execute(db)
}
