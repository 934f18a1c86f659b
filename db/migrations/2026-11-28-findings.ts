import { sql, type Kysely } from 'kysely'

/** What was observed of each instance, and every difference between what is wanted, recorded and observed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table instances
  add observed_state text check (observed_state in ('running', 'starting', 'degraded', 'stopped', 'absent')),
  add observed_at timestamptz,
  add constraint observed_at_an_instant check ((observed_state is null) = (observed_at is null));

create table findings (
  id uuid primary key,
  server_id uuid not null references servers,
  instance_id uuid references instances,
  kind text not null check (kind in ('stopped', 'started', 'unhealthy', 'missing_container', 'missing_volume', 'missing_network',
    'wrong_image', 'wrong_configuration', 'foreign', 'orphan', 'ghost')),
  severity text not null check (severity in ('critical', 'warning', 'notice')),
  object_kind text not null check (object_kind in ('container', 'volume', 'network')),
  object_name text not null,
  detail text not null,
  is_safe boolean not null,
  command text not null,
  found_at timestamptz not null,
  seen_at timestamptz not null check (seen_at >= found_at),
  settled_at timestamptz check (settled_at >= found_at)
);
create unique index one_open_finding on findings (server_id, kind, object_kind, object_name) where settled_at is null;
create index findings_by_instance on findings (instance_id) where settled_at is null;

update tasks set kind = 'instance_drift' where kind = 'instance_missing' and closed_at is null;
`,
    )
    .execute(db)
}
