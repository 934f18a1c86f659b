import { sql, type Kysely } from 'kysely'

/** How somebody of a customer gets into the portal: a link that staff makes, and the session that it begins. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(portal).execute(db)
}

const portal = `
create table portal_links (
  id uuid primary key,
  customer_id uuid not null references customers (id),
  token_sha256 bytea not null unique check (length(token_sha256) = 32),
  made_by text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  opened_at timestamptz,
  -- Staff took it back before it was opened.
  withdrawn_at timestamptz,
  unique (id, customer_id),
  constraint portal_link_lives_shortly check (expires_at > made_at and expires_at <= made_at + interval '1 day'),
  constraint portal_link_opened_or_withdrawn check (opened_at is null or withdrawn_at is null)
);
create index portal_links_of_customer on portal_links (customer_id, id);

create table portal_sessions (
  id uuid primary key,
  -- A link begins one session, and one of its own customer.
  link_id uuid not null unique,
  customer_id uuid not null,
  token_sha256 bytea not null unique check (length(token_sha256) = 32),
  form_token text not null,
  begun_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  constraint portal_session_of_its_link foreign key (link_id, customer_id) references portal_links (id, customer_id),
  constraint portal_session_ended check ((ended_at is null) = (ended_by is null))
);
create index portal_sessions_of_customer on portal_sessions (customer_id, id);
`
