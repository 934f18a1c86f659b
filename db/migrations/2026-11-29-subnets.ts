import { sql, type Kysely } from 'kysely'

/**
 * Networks get their addresses from a pool of the server's own: one small subnet for each environment that is there. What others hold
 * of ports and addresses is remembered, so that it is not chosen again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(subnets).execute(db)
}

const subnets = `
alter table servers
  add subnet_pool cidr not null default '10.201.0.0/16',
  add subnet_prefix_length integer not null default 26,
  add constraint subnet_pool_of_small_subnets check (family(subnet_pool) = 4
    and subnet_prefix_length between masklen(subnet_pool) and least(29, masklen(subnet_pool) + 12));

create table subnets (
  server_id uuid not null references servers,
  environment_id uuid not null references environments,
  range cidr not null,
  taken_at timestamptz not null default now(),
  primary key (server_id, environment_id),
  constraint one_environment_per_subnet exclude using gist (server_id with =, range inet_ops with &&)
);

create table foreign_subnets (
  server_id uuid not null references servers,
  range cidr not null,
  holder text not null,
  -- Looked for where the engine tells all that it has; what it merely refused is forgotten after a while.
  is_listed boolean not null,
  seen_at timestamptz not null default now(),
  primary key (server_id, range)
);

create table foreign_ports (
  server_id uuid not null references servers,
  port integer not null check (port between 1 and 65535),
  seen_at timestamptz not null default now(),
  primary key (server_id, port)
);
`
