import { sql, type Kysely } from 'kysely'

/** With what engines sign in to registries. A password is sealed with the installation's key, and shown to nobody. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table registries (
  id uuid primary key,
  host text not null unique check (host = lower(host) and host !~ '[/@ ]' and length(host) between 1 and 260),
  username text not null check (length(username) between 1 and 255),
  key_id text not null,
  sealed bytea not null,
  set_at timestamptz not null,
  set_by text not null,
  created_at timestamptz not null default now()
);
`,
    )
    .execute(db)
}
