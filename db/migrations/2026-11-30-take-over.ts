import { sql, type Kysely } from 'kysely'

/** Take-over: containers and volumes that were on a server before the instance that has them. They carry no labels. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [table, release]) await sql.raw(part).execute(db)
}

const table = `
create table taken_over_objects (
  instance_id uuid not null references instances,
  server_id uuid not null references servers,
  kind text not null check (kind in ('container', 'volume')),
  -- The service, or the volume of the compose file.
  component text not null,
  name text not null,
  -- By the engine; volumes have none but their names.
  external_id text not null check (kind = 'volume' and external_id = name or external_id ~ '^[0-9a-f]{64}$'),
  taken_at timestamptz not null default now(),
  released_at timestamptz,
  primary key (instance_id, kind, component)
);
-- Linked once: nothing has two owners.
create unique index one_owner_per_object on taken_over_objects (server_id, kind, external_id) where released_at is null;
`

const release = `
create function release_taken_over() returns trigger language plpgsql as $$
begin
  update taken_over_objects set released_at = now() where instance_id = new.id and released_at is null;
  return null;
end $$;
create trigger instance_taken_over after update of destroyed_at on instances
  for each row when (old.destroyed_at is null and new.destroyed_at is not null) execute function release_taken_over();
`
