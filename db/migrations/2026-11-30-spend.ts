import { sql, type Kysely } from 'kysely'

/**
 * What is told and held of use within a billing period: warnings, each once, caps of what usage may cost, and the amount at
 * which it is invoiced early.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [warnings, caps, earlyInvoices]) await sql.raw(part).execute(db)
}

const warnings = `
create table usage_warnings (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  kind text not null check (kind in ('limit', 'spend')),
  -- The first line of the life whose limit it is; null for what usage costs.
  first_line_id uuid,
  -- The code of the limit, or who set the cap.
  subject text not null,
  -- A share such as "80 %", or an amount such as "20.00".
  threshold text not null check (threshold <> ''),
  period_starts_on date not null,
  used numeric not null,
  ceiling numeric not null,
  unit text not null,
  warned_at timestamptz not null,
  check ((kind = 'limit') = (first_line_id is not null)),
  constraint warned_once unique nulls not distinct (subscription_id, kind, first_line_id, subject, threshold, period_starts_on)
);
`

const caps = `
create table spend_caps (
  subscription_id uuid not null references subscriptions,
  set_by text not null check (set_by in ('customer', 'operator')),
  amount_minor bigint not null check (amount_minor > 0),
  effect text not null check (effect in ('alert', 'stop')),
  alerts jsonb not null check (jsonb_typeof(alerts) = 'array'),
  actor text not null,
  set_at timestamptz not null,
  -- Since when what runs is held because usage of the period costs as much as the cap allows.
  held_since timestamptz,
  primary key (subscription_id, set_by),
  constraint only_a_stop_holds check (held_since is null or effect = 'stop')
);
`

const earlyInvoices = `
alter table subscriptions add column early_invoice_minor bigint check (early_invoice_minor > 0);
`
