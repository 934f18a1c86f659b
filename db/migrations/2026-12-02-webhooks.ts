import { sql, type Kysely } from 'kysely'

/**
 * Where events are posted to, what waits for each, and every attempt. A delivery is laid down by the statement that writes its event: none
 * is forgotten, none is there of what was rolled back. A secret is sealed with the installation's key.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table webhooks (
  id uuid primary key,
  url text not null check (url ~ '^https?://' and length(url) <= 2048),
  description text not null check (length(description) <= 200),
  -- Null: all. A kind as events have it, or the kinds of one thing: limit.*
  kinds text[] check (cardinality(kinds) between 1 and 100),
  -- A deleted one keeps its row: a transaction that writes an event may still be laying down a delivery for it.
  state text not null default 'enabled' check (state in ('enabled', 'disabled', 'deleted')),
  disabled_reason text check (length(disabled_reason) between 1 and 1000),
  -- Since its first failure after the last one that was delivered.
  failing_since timestamptz,
  -- How many times in a row it was left alone for a while, because it did not answer.
  rests integer not null default 0 check (rests >= 0),
  rests_until timestamptz,
  last_delivered_at timestamptz,
  -- Its workflow was told that something waits, and has not fallen asleep since.
  is_awake boolean not null default false,
  created_at timestamptz not null,
  created_by text not null,
  constraint disabled_with_a_reason check ((state = 'disabled') = (disabled_reason is not null))
);

create table webhook_secrets (
  id uuid primary key,
  webhook_id uuid not null references webhooks on delete cascade,
  key_id text not null,
  sealed bytea not null,
  made_at timestamptz not null,
  -- Null: it signs. Else the one before, which signs beside it for a while.
  expires_at timestamptz
);
create unique index one_signing_secret on webhook_secrets (webhook_id) where expires_at is null;

create table webhook_deliveries (
  webhook_id uuid not null references webhooks on delete cascade,
  event_id bigint not null references events,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
  -- Raised when it is to be delivered once more: what an attempt under way comes to is then of the one before.
  revision integer not null default 0,
  failures integer not null default 0 check (failures >= 0),
  first_failed_at timestamptz,
  queued_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (webhook_id, event_id),
  constraint settled_once check ((state = 'waiting') = (settled_at is null)),
  constraint failed_first check ((failures = 0) = (first_failed_at is null))
);
create index webhook_deliveries_due on webhook_deliveries (webhook_id, due_at, event_id) where state = 'waiting';
create index webhook_deliveries_new on webhook_deliveries (webhook_id) where state = 'waiting' and failures = 0;
create index webhook_deliveries_old on webhook_deliveries (queued_at);

create table webhook_attempts (
  id bigint generated always as identity primary key,
  webhook_id uuid not null,
  event_id bigint not null,
  at timestamptz not null,
  duration_ms integer not null check (duration_ms >= 0),
  status integer check (status between 100 and 999),
  -- Why there is no answer.
  failure text check (length(failure) between 1 and 1000),
  -- What it begins with.
  answer text check (length(answer) <= 500),
  foreign key (webhook_id, event_id) references webhook_deliveries on delete cascade,
  constraint answered_or_not check ((status is null) = (failure is not null) and (status is null) = (answer is null))
);
create index webhook_attempts_by_delivery on webhook_attempts (webhook_id, event_id, id);

create function is_wanted(kinds text[], kind text) returns boolean language sql immutable as $$
  select kinds is null or kind = any (kinds) or split_part(kind, '.', 1) || '.*' = any (kinds)
$$;
create function lay_webhook_deliveries() returns trigger language plpgsql as $$
begin
  insert into webhook_deliveries (webhook_id, event_id)
  select webhook.id, written.id
  from webhooks webhook join written
    on webhook.state <> 'deleted' and written.kind <> 'webhook.tested' and is_wanted(webhook.kinds, written.kind);
  return null;
end $$;
create trigger webhook_deliveries_laid after insert on events
  referencing new table as written for each statement execute function lay_webhook_deliveries();
`,
    )
    .execute(db)
}
