import { sql, type Kysely } from 'kysely'

/** What customers are told of changes, and how operators sort subscriptions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(announcements).execute(db)
}

const announcements = `
alter table installation
  add column announced_fields text[] not null default '{price}'
    check (announced_fields <@ '{price,quantity,product,recurrence}'::text[]);

alter table subscriptions
  add column tags text[] not null default '{}',
  add column notes text;
create index subscriptions_by_tag on subscriptions using gin (tags);

create table announcements (
  id uuid primary key,
  customer_id uuid not null references customers,
  subscription_id uuid not null references subscriptions,
  first_line_id uuid not null references subscription_lines,
  field text not null check (field in ('price', 'quantity', 'product', 'recurrence')),
  old_value text not null,
  new_value text not null check (new_value <> old_value),
  effective_on date not null,
  -- The command or price revision that made the change: it is announced once.
  request_id text not null,
  created_at timestamptz not null default now(),
  constraint announced_once unique (subscription_id, request_id, first_line_id, field)
);
`
