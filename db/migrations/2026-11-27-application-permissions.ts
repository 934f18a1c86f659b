import { sql, type Kysely } from 'kysely'

/** What an operator lets an application do beyond what every application may: who, when and why. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(permissions).execute(db)
}

const permissions = `
create table application_permissions (
  application_id uuid not null references applications,
  permission text not null check (permission ~ '^[a-z_]+(:.+)?$'),
  reason text not null check (reason <> ''),
  granted_by text not null,
  granted_at timestamptz not null default now(),
  primary key (application_id, permission)
);

-- The same file may be read otherwise: with other files beside it, or with more permissions. That is another version.
alter table application_versions add column files jsonb not null default '{}' check (jsonb_typeof(files) = 'object');
alter table application_versions drop constraint application_versions_application_id_compose_sha256_key;
`
