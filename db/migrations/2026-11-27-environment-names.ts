import { sql, type Kysely } from 'kysely'

/** Environments that an order chooses, with names of their own, and the names that open orders hold. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(environments).execute(db)
}

const environments = `
alter table environments
  add column name text,
  -- It was made by this order, and for it alone as long as nothing of it was active.
  add column order_id uuid references orders,
  -- What was never used frees its name and prefix.
  add column released_at timestamptz;
update environments set name = prefix;
alter table environments
  alter column name set not null,
  add constraint environments_name_check check (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  add constraint environments_default_stays check (released_at is null or not is_default),
  drop constraint environments_prefix_key;
create unique index environments_name_key on environments (name) where released_at is null;
create unique index environments_prefix_key on environments (prefix) where released_at is null;
create index environments_by_customer on environments (customer_id);

alter table installation
  add column reservation_minutes integer not null default 30 check (reservation_minutes between 1 and 10080);

-- A row a name: of two orders that take it in one moment, the second waits for the first, and finds it taken.
create table reserved_names (
  kind text not null check (kind in ('name', 'prefix')),
  value text not null,
  order_id uuid not null references orders,
  expires_at timestamptz not null,
  primary key (kind, value)
);
create index reserved_names_by_order on reserved_names (order_id);
`
