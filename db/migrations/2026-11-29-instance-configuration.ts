import { sql, type Kysely } from 'kysely'

/** What of an instance is changed in place: what people call it, the limits of its containers, and which of them were replaced. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table instances
  add display_name text check (length(display_name) between 1 and 100),
  add container_limits jsonb not null default '{}' check (jsonb_typeof(container_limits) = 'object'),
  add service_generations jsonb not null default '{}' check (jsonb_typeof(service_generations) = 'object'),
  add observed_differences jsonb not null default '[]' check (jsonb_typeof(observed_differences) = 'array');
`,
    )
    .execute(db)
}
