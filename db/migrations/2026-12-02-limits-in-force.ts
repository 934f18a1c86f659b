import { sql, type Kysely } from 'kysely'

/** Since when a sold limit is to be set again: a command failed, or its containers were made anew. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table limits
  add column not_in_force_since timestamptz,
  add constraint limits_in_force_check check (not_in_force_since is null or in_force_quantity is null);
create index limits_not_in_force on limits (instance_id) where not_in_force_since is not null;
`,
    )
    .execute(db)
}
