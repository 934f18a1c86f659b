import { sql, type Kysely } from 'kysely'

/** Links that let somebody into an application, once, for a minute. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table instance_commands drop constraint instance_commands_kind_check;
alter table instance_commands add constraint instance_commands_kind_check
  check (kind in ('restart', 'action', 'rotation', 'login'));

create table instance_logins (
  id uuid primary key,
  instance_id uuid not null references instances,
  token_sha256 bytea not null unique check (length(token_sha256) = 32),
  actor text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > made_at),
  opened_at timestamptz,
  -- The path by which the application lets in: gone once the browser was sent there.
  key_id text,
  sealed bytea,
  constraint instance_logins_sealed_check check ((sealed is null) = (key_id is null)),
  constraint instance_logins_opened_check check (sealed is null or opened_at is not null)
);
`,
    )
    .execute(db)
}
