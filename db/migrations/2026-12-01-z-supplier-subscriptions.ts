import { sql, type Kysely } from 'kysely'

/** What suppliers bill every month, so that an invoice that does not come is noticed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table supplier_subscriptions (
  id uuid primary key,
  supplier_id uuid not null references suppliers,
  name text not null check (length(name) between 1 and 200),
  -- About what it comes to, net, in the supplier's currency.
  amount_minor bigint check (amount_minor > 0),
  -- The very text by which the supplier names its line.
  line_text text check (length(line_text) between 1 and 2000),
  begins_on date not null,
  ends_on date,
  grace_days integer not null check (grace_days between 0 and 90),
  recorded_by text not null,
  created_at timestamptz not null default now(),
  constraint expected_for_a_time check (ends_on >= begins_on)
);
create index supplier_subscriptions_by_supplier on supplier_subscriptions (supplier_id);

-- The invoice of a month that had not come in time: what its task is about.
create table missing_supplier_invoices (
  id uuid primary key,
  supplier_subscription_id uuid not null references supplier_subscriptions,
  expected_on date not null,
  missed_at timestamptz not null,
  constraint missed_once unique (supplier_subscription_id, expected_on)
);
`,
    )
    .execute(db)
}
