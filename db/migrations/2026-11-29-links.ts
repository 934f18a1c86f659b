import { sql, type Kysely } from 'kysely'

/** Links between instances: what one wants, and whose offer it has. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [links, preferred]) await sql.raw(part).execute(db)
}

const links = `
create table links (
  id uuid primary key,
  wanting_instance_id uuid not null references instances,
  name text not null,
  kind text not null,
  is_required boolean not null,
  offering_instance_id uuid references instances check (offering_instance_id <> wanting_instance_id),
  reason text check (reason in ('named', 'same_subscription', 'same_environment', 'preferred', 'shared')),
  state text not null check (state in ('waiting', 'planned', 'made', 'taken_back')),
  made_at timestamptz,
  taken_back_at timestamptz,
  -- Why the last try to make it came to nothing.
  failure_detail text,
  created_at timestamptz not null default now(),
  constraint links_offer_check check ((offering_instance_id is null) = (reason is null)),
  constraint links_waiting_check check (state <> 'waiting' or offering_instance_id is null and not is_required),
  constraint links_offered_check check (state not in ('planned', 'made') or offering_instance_id is not null),
  constraint links_made_check check (state <> 'made' or made_at is not null),
  constraint links_taken_back_check check (state <> 'taken_back' or taken_back_at is not null)
);
-- Of an instance each want is one link, however often its offer comes and goes.
create unique index one_link_per_want on links (wanting_instance_id, name);
create index links_by_offer on links (offering_instance_id) where offering_instance_id is not null;
create index links_to_make on links (created_at) where state in ('waiting', 'planned');
`

const preferred = `
create table preferred_offers (
  server_id uuid not null references servers,
  kind text not null,
  instance_id uuid not null references instances,
  preferred_by text not null,
  preferred_at timestamptz not null default now(),
  primary key (server_id, kind)
);
`
