import { sql, type Kysely } from 'kysely'

/** Parts: an instance may be brought along by another one of its subscription. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
-- Deferred: parts are built, and written, before what they are parts of.
alter table instances add column parent_instance_id uuid
  references instances deferrable initially deferred
  constraint part_of_another check (parent_instance_id <> id);
create index instances_by_parent on instances (parent_instance_id) where parent_instance_id is not null;
`,
    )
    .execute(db)
}
