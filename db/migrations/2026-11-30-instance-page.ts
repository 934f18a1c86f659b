import { sql, type Kysely } from 'kysely'

/** What the page of an instance tells besides: why it is on its server, and what was seen of each of its containers. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
-- In words, as it was decided when its order was accepted; null for those of before.
alter table instances add column placed_because text check (length(placed_because) <= 500);
alter table instances add column observed_containers jsonb not null default '[]'
  check (jsonb_typeof(observed_containers) = 'array');
`,
    )
    .execute(db)
}
