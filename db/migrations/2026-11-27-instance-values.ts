import { sql, type Kysely } from 'kysely'

/** Values of an instance that price grids look up by name, each from a day on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table instance_values (
  instance_id uuid not null references instances,
  code text not null check (code ~ '^[a-z][a-z0-9_]{0,39}$'),
  value numeric not null check (value >= 0),
  starts_on date not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (instance_id, code, starts_on)
);
`,
    )
    .execute(db)
}
