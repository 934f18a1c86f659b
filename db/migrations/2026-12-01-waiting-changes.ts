import { sql, type Kysely } from 'kysely'

/** Changes to less than is used, which wait until it fits. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(waiting).execute(db)
}

const waiting = `
create table waiting_changes (
  id uuid primary key,
  subscription_id uuid not null references subscriptions (id),
  first_line_id uuid not null references subscription_lines (id),
  -- The command that asked for it: asked again, it is the same change.
  request_id text not null,
  asked jsonb not null,
  product text not null,
  from_text text not null,
  to_text text not null,
  -- What of the limit would be left; no more than that may be used.
  instance_id uuid not null references instances (id),
  limit_code text not null,
  ceiling numeric not null check (ceiling >= 0),
  asked_by text not null,
  asked_at timestamptz not null,
  -- The end of a period: if it does not fit by then, it is told, and the day moves on.
  told_on date not null,
  state text not null default 'waiting' check (state in ('waiting', 'applied', 'withdrawn', 'replaced', 'refused')),
  decided_by text,
  decided_at timestamptz,
  refused_reason text,
  unique (subscription_id, request_id),
  constraint waiting_change_decided check ((state = 'waiting') = (decided_at is null) and (decided_at is null) = (decided_by is null)),
  constraint waiting_change_refused check ((state = 'refused') = (refused_reason is not null))
);
create unique index one_waiting_change on waiting_changes (first_line_id) where state = 'waiting';
create index waiting_changes_of_subscription on waiting_changes (subscription_id, id);
create index waiting_changes_of_limit on waiting_changes (instance_id, limit_code) where state = 'waiting';
`
