import { sql, type Kysely } from 'kysely'

/**
 * Usage events say by which properties lines tell them apart, and may take back another one. Those that were refused are kept
 * for a while, with the reason.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table usage_events
  add column properties jsonb check (jsonb_typeof(properties) = 'object'),
  add column reverses_id uuid references usage_events check (reverses_id <> id),
  drop constraint usage_events_quantity_check,
  add constraint quantity_below_zero_reverses check ((reverses_id is null and quantity >= 0) or quantity < 0 and reverses_id is not null);
create unique index one_reversal_per_event on usage_events (reverses_id) where reverses_id is not null;

create function takes_usage(filter jsonb, properties jsonb) returns boolean language sql immutable parallel safe as $$
  select not exists (
    select from jsonb_array_elements(coalesce(filter, '[]')) as condition
    where coalesce(case when condition ? 'is' then not condition -> 'is' ? (properties ->> (condition ->> 'property'))
      else condition -> 'isNot' ? (properties ->> (condition ->> 'property')) end, true))
$$;

create table refused_usage_events (
  id uuid primary key,
  sender text not null,
  name text not null check (length(name) <= 500),
  content text not null check (octet_length(content) <= 8192),
  is_whole boolean not null,
  code text not null,
  detail text not null check (length(detail) <= 1000),
  pointer text check (length(pointer) <= 500),
  refusals integer not null default 1 check (refusals > 0),
  first_refused_at timestamptz not null,
  refused_at timestamptz not null check (refused_at >= first_refused_at),
  source text,
  event_id text,
  constraint one_place_per_refused_event unique (sender, name)
);
create index refused_usage_events_by_time on refused_usage_events (sender, refused_at);
`,
    )
    .execute(db)
}
