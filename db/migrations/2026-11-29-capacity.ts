import { sql, type Kysely } from 'kysely'

/** Servers have so much of what instances take, and what an order takes is reserved with it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [servers, reservations, checks, existing]) await sql.raw(part).execute(db)
}

const servers = `
-- Null: it is not counted.
alter table servers
  add column memory_mib integer check (memory_mib > 0),
  add column cpus numeric check (cpus > 0),
  add column disk_mib bigint check (disk_mib > 0),
  add column most_instances integer check (most_instances >= 0),
  add column efficiency numeric not null default 1 check (efficiency > 0 and efficiency <= 10),
  add column tags text[] not null default '{}',
  add column draining_since timestamptz,
  add column removed_at timestamptz;
alter table order_lines add column preferred_server_id uuid references servers;
`

const reservations = `
create table reservations (
  instance_id uuid primary key references instances,
  server_id uuid not null references servers,
  memory_mib integer not null check (memory_mib >= 0),
  cpus numeric not null check (cpus >= 0),
  disk_mib bigint not null check (disk_mib >= 0),
  reserved_at timestamptz not null default now(),
  released_at timestamptz
);
create index reservations_by_server on reservations (server_id) where released_at is null;
`

const checks = `
-- Whoever reserves waits for the others at the server's row: of two who want the last place, one gets it.
create function check_reservation() returns trigger language plpgsql as $$
declare
  server servers%rowtype;
  used record;
  is_new boolean := tg_op = 'INSERT';
begin
  if new.released_at is not null then return new; end if;
  if not is_new then
    is_new := old.released_at is not null or old.server_id <> new.server_id;
    if not is_new and new.memory_mib <= old.memory_mib and new.cpus <= old.cpus and new.disk_mib <= old.disk_mib then
      return new;
    end if;
  end if;
  select * into server from servers where id = new.server_id for no key update;
  if is_new and num_nonnulls(server.draining_since, server.removed_at) > 0 then
    raise exception 'the server takes nothing new' using errcode = 'check_violation', constraint = 'reservation_server_open';
  end if;
  if num_nonnulls(server.memory_mib, server.cpus, server.disk_mib, server.most_instances) = 0 then return new; end if;
  select coalesce(sum(memory_mib), 0) as memory_mib, coalesce(sum(cpus), 0) as cpus, coalesce(sum(disk_mib), 0) as disk_mib,
    count(*) as instances into used
  from reservations where server_id = new.server_id and released_at is null and instance_id <> new.instance_id;
  if used.memory_mib + new.memory_mib > server.memory_mib * server.efficiency
    or used.cpus + new.cpus > server.cpus * server.efficiency
    or used.disk_mib + new.disk_mib > server.disk_mib * server.efficiency
    or is_new and used.instances + 1 > server.most_instances then
    raise exception 'more than the server offers' using errcode = 'check_violation', constraint = 'reservation_capacity';
  end if;
  return new;
end $$;
create trigger reservation_capacity before insert or update on reservations for each row execute function check_reservation();

-- Whatever ends an instance frees what it had.
create function release_reservation() returns trigger language plpgsql as $$
begin
  update reservations set released_at = now() where instance_id = new.id and released_at is null;
  return null;
end $$;
create trigger instance_release after update of destroyed_at on instances
  for each row when (old.destroyed_at is null and new.destroyed_at is not null) execute function release_reservation();

create function check_server_removal() returns trigger language plpgsql as $$
begin
  if exists (select from instances where server_id = new.id and destroyed_at is null) then
    raise exception 'instances are on the server' using errcode = 'check_violation', constraint = 'server_removed_empty';
  end if;
  return new;
end $$;
create trigger server_removal before update of removed_at on servers
  for each row when (old.removed_at is null and new.removed_at is not null) execute function check_server_removal();
`

/** What is there already has what its application asked for when it was sold; a container that asked for nothing, the default. */
const existing = `
insert into reservations (instance_id, server_id, memory_mib, cpus, disk_mib)
select instance.id, instance.server_id,
  coalesce(sum(least(coalesce((service->>'memoryMib')::integer, 512), 4096)), 0),
  coalesce(sum(least(coalesce((service->>'cpus')::numeric, 1), 4)), 0),
  0
from instances instance
join application_versions version on version.id = instance.application_version_id
left join lateral jsonb_array_elements(version.definition->'services') service on true
where instance.destroyed_at is null
group by instance.id, instance.server_id;
`
