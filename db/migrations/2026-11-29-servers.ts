import { sql, type Kysely } from 'kysely'

/** Several servers: how each is reached, when it was seen, and how its own worker joins; and work centres of people. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table servers
  alter runner drop not null,
  alter port_range drop not null,
  add resource_kind text not null default 'infrastructure' check (resource_kind in ('infrastructure', 'people')),
  add connection text default 'local' check (connection in ('local', 'own_worker', 'tls')),
  add engine_address text check (engine_address ~ '^tcp://'),
  add engine_set_at timestamptz,
  add joined_at timestamptz,
  add checked_at timestamptz,
  add sampled_at timestamptz,
  add failure_cause text
    check (failure_cause in ('refused', 'timed_out', 'tls_wrong', 'name_unknown', 'not_permitted', 'worker_silent', 'failed')),
  add failure_detail text,
  add unreachable_since timestamptz,
  add constraint only_infrastructure_has_an_engine
    check (num_nulls(runner, port_range, connection) = case resource_kind when 'people' then 3 else 0 end),
  add constraint tls_has_an_address
    check ((coalesce(connection, '') = 'tls') = (engine_address is not null) and (engine_address is null) = (engine_set_at is null)),
  add constraint failure_has_a_cause check ((failure_cause is null) = (failure_detail is null));

alter table installation
  add server_silence_seconds integer not null default 60 check (server_silence_seconds between 2 and 3600);

-- Authority, certificate and key by which an engine behind TLS is reached; sealed, and never shown again.
create table server_secrets (
  server_id uuid not null references servers,
  name text not null check (name in ('ca', 'certificate', 'key')),
  key_id text not null,
  sealed bytea not null,
  primary key (server_id, name)
);

-- A server has one token at a time: a further one takes the place of the one before.
create table server_join_tokens (
  server_id uuid primary key references servers,
  secret_sha256 bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null check (expires_at > created_at),
  used_at timestamptz
);
`,
    )
    .execute(db)
}
