import { sql, type Kysely } from 'kysely'

/** Changes that customers asked for, and what became of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(changeRequests).execute(db)
}

const changeRequests = `
create table change_requests (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  -- The line as it was named. A line that was only planned can be dropped; the first of its life stays.
  subscription_line_id uuid not null,
  first_line_id uuid not null references subscription_lines,
  request_id text not null unique,
  mode text not null check (mode in ('automatic', 'manual')),
  asked jsonb not null,
  message text,
  requested_by text not null,
  preview jsonb not null,
  state text not null default 'open' check (state in ('open', 'applied', 'refused')),
  decided_by text,
  decided_at timestamptz,
  refused_reason text,
  created_at timestamptz not null default now(),
  constraint change_request_decided check ((state = 'open') = (decided_at is null) and (decided_at is null) = (decided_by is null)),
  constraint change_request_refused check ((state = 'refused') = (refused_reason is not null))
);
create unique index one_open_change_request on change_requests (first_line_id) where state = 'open';
create index change_requests_of_subscription on change_requests (subscription_id, id);
`
