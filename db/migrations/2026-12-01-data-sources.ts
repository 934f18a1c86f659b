import { sql, type Kysely } from 'kysely'

/** Databases elsewhere that metrics are read from. A password is sealed with the installation's key, and shown to nobody. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table data_sources (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  kind text not null check (kind in ('postgresql', 'mysql', 'elasticsearch')),
  host text not null check (host = lower(host) and host ~ '^[a-z0-9.:-]{1,253}$'),
  port integer not null check (port between 1 and 65535),
  -- Null for what has none: an index is named by each query.
  database_name text check (length(database_name) between 1 and 63),
  username text not null check (length(username) between 1 and 255),
  has_tls boolean not null,
  -- In PEM; null: as the system trusts.
  certificate_authority text,
  key_id text not null,
  sealed bytea not null,
  set_at timestamptz not null,
  set_by text not null,
  created_at timestamptz not null default now(),
  check ((kind = 'elasticsearch') = (database_name is null)),
  check (has_tls or certificate_authority is null)
);
`,
    )
    .execute(db)
}
