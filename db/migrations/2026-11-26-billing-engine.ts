import { sql, type Kysely } from 'kysely'

/** Prices of every model, terms, taxes, discounts, drafts, balances, and documents chained by hash. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [seller, prices, customers, discounts, subscriptions, usage, invoices, triggers, runs]) {
    await sql.raw(part).execute(db)
  }
}

const seller = `
alter table installation
  add column prices_include_tax boolean not null default false,
  add column tax_rounding text not null default 'document' check (tax_rounding in ('document', 'line')),
  add column recurrence_starts text not null default 'activation' check (recurrence_starts in ('confirmation', 'first_invoice', 'activation')),
  -- What was agreed otherwise than days from the day of issue: end of month, a fixed day, instalments.
  add column payment_terms jsonb,
  add column draft_days integer not null default 0 check (draft_days between 0 and 30),
  add column number_patterns jsonb not null
    default '{"invoice": {"series": "INV", "pattern": "{series}-{number:5}"}, "credit_note": {"series": "CN", "pattern": "{series}-{number:5}"}}';

-- The most specific rate wins: a region before its country; several rates of one rank are charged on one base.
create table tax_rates (
  id uuid primary key,
  country text not null check (country ~ '^[A-Z]{2}$'),
  region text,
  category text not null default 'standard',
  name text not null,
  rate_percent numeric not null check (rate_percent between 0 and 100),
  valid_in daterange not null default daterange(null, null) check (not isempty(valid_in)),
  created_at timestamptz not null default now(),
  exclude using gist (country with =, (coalesce(region, '')) with =, category with =, name with =, valid_in with &&)
);
`

const prices = `
alter table products add column price jsonb;
update products set price = jsonb_build_object('model', 'per_unit', 'unitAmount', base_price::text);
alter table products
  alter column price set not null,
  add check (price ->> 'model' is not null),
  drop column base_price,
  add column terms jsonb not null default '{}',
  add column category text,
  add column attributes jsonb not null default '{}',
  add column variant_of_id uuid references products check (variant_of_id <> id),
  add column tax_category text not null default 'standard',
  -- Its value is the quantity that one of the product sells.
  add column quantity_attribute text check (attributes ? quantity_attribute),
  add check (billing_type = 'threshold' or quantity_attribute is null);

-- What a kit costs instead of its flat and threshold components.
alter table kits add column price_product_id uuid references products;

alter table price_lists add column base_price_list_id uuid references price_lists check (base_price_list_id <> id);

alter table price_list_items add column price jsonb;
update price_list_items set price = jsonb_build_object('model', 'per_unit', 'unitAmount', unit_price::text) where unit_price is not null;
alter table price_list_items
  drop column unit_price,
  add column formula jsonb,
  add column customer_id uuid references customers,
  add column category text,
  add column attribute_name text,
  add column attribute_value text,
  add column season_from text check (season_from ~ '^\\d\\d-\\d\\d$'),
  add column season_until text check (season_until ~ '^\\d\\d-\\d\\d$'),
  add check (num_nonnulls(price, discount_percent, formula) = 1),
  add check (num_nonnulls(product_id, category, attribute_name) <= 1),
  add check ((attribute_name is null) = (attribute_value is null)),
  add check ((season_from is null) = (season_until is null));

-- The grid of an application, or that an instance has for itself, for the periods from a day on.
create table price_grids (
  application_id uuid references applications,
  instance_id uuid references instances,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  price jsonb not null check (price ->> 'model' = 'grid'),
  starts_on date not null,
  created_at timestamptz not null default now(),
  check (num_nonnulls(application_id, instance_id) = 1),
  unique nulls not distinct (application_id, instance_id, currency, starts_on)
);
create index price_grids_by_instance on price_grids (instance_id) where instance_id is not null;
`

const customers = `
alter table customers
  add column country text check (country ~ '^[A-Z]{2}$'),
  add column region text,
  add column is_business boolean not null default false,
  add column tax_id text,
  add column tax_id_verified_at timestamptz,
  add column tax_exemption text,
  add column language text not null default 'en' check (language ~ '^[a-z]{2}$'),
  add column buyer_reference text,
  add column payment_terms jsonb,
  add column splits_by_purchase_order boolean not null default false,
  add check (tax_id_verified_at is null or tax_id is not null);

-- Money owed to the customer. The next invoices use it, never more than there is.
create table customer_balances (
  customer_id uuid not null references customers,
  currency text not null,
  test_clock_id uuid references test_clocks,
  amount_minor bigint not null check (amount_minor >= 0),
  unique nulls not distinct (customer_id, currency, test_clock_id)
);
`

const discounts = `
create table discounts (
  id uuid primary key,
  code text unique check (code ~ '^[A-Z0-9][A-Z0-9-]{0,39}$'),
  name text not null,
  percent numeric check (percent > 0 and percent <= 100),
  amount_minor bigint check (amount_minor > 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  scope text not null check (scope in ('line', 'document')),
  product_id uuid references products,
  period_count integer check (period_count >= 1),
  valid_in daterange not null default daterange(null, null) check (not isempty(valid_in)),
  maximum_uses integer check (maximum_uses >= 1),
  use_count integer not null default 0,
  is_once_per_customer boolean not null default false,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  check (num_nonnulls(percent, amount_minor) = 1),
  check ((amount_minor is null) = (currency is null)),
  constraint discount_code_used_up check (use_count <= maximum_uses)
);

-- A discount that a customer, or one subscription of his, has; counted from its first day.
create table applied_discounts (
  id uuid primary key,
  discount_id uuid not null references discounts,
  customer_id uuid not null references customers,
  subscription_id uuid references subscriptions,
  valid_in daterange not null check (not isempty(valid_in) and not lower_inf(valid_in)),
  created_at timestamptz not null default now()
);
create index applied_discounts_by_customer on applied_discounts (customer_id);
create index applied_discounts_by_subscription on applied_discounts (subscription_id) where subscription_id is not null;
`

const subscriptions = `
alter table subscriptions
  add column least_amount numeric check (least_amount >= 0),
  add column greatest_amount numeric check (greatest_amount >= 0),
  add column purchase_order_reference text,
  add column has_own_anchor boolean not null default false,
  add column term jsonb,
  add column term_ends_on date,
  -- What reports count by; cancel_reason is what was said.
  add column cancel_reason_code text check (cancel_reason_code in ('too_expensive', 'missing_features', 'poor_quality',
    'poor_service', 'not_used', 'other_provider', 'business_closed', 'not_paid', 'other', 'handed_over')),
  add check ((term is null) = (term_ends_on is null)),
  add check (greatest_amount >= least_amount);
update subscriptions set cancel_reason_code = 'other' where cancel_requested_at is not null;

-- A draft is a quote: what was asked beside its lines, and what it came to; it can be had until it expires.
alter table orders
  alter column confirmed_at drop not null,
  add column cancelled_at timestamptz,
  add column expires_on date,
  add column quote jsonb,
  add check (confirmed_at is null or cancelled_at is null),
  add check (num_nonnulls(expires_on, quote) in (0, 2)),
  add check (confirmed_at is not null or quote is not null);

-- The subscription that the line joined, instead of making one.
alter table order_lines add column subscription_id uuid references subscriptions;

alter table subscription_documents
  add column purchase_order_reference text,
  add column own_anchor_on date,
  -- The anchor by which days before its move are counted: what is in arrears for them is billed after it.
  add column former_anchor date,
  add column anchor_moved_on date,
  add check ((former_anchor is null) = (anchor_moved_on is null)),
  -- While the document of the next period stands as a draft: the day on which it is finalized.
  add column finalize_on date;
drop index one_open_document;
create unique index one_open_document on subscription_documents
  (customer_id, interval_count, interval_unit, currency, test_clock_id, purchase_order_reference, own_anchor_on)
  nulls not distinct where closed_at is null;

alter table subscription_lines add column price jsonb;
update subscription_lines set price = jsonb_build_object('model', 'per_unit', 'unitAmount', unit_price::text);
alter table subscription_lines
  alter column price set not null,
  drop column unit_price,
  add column terms jsonb not null default '{}',
  add column tax_category text not null default 'standard',
  add column price_list_item_id uuid references price_list_items,
  add column transferred_from_line_id uuid references subscription_lines,
  -- The commands by which the line began and ended: credit and charge of one change are found together.
  add column opened_by text,
  add column closed_by text;

-- What a command found and replaced, so that it can be taken back; and what is asked that no history of a workflow may hold.
alter table subscription_commands add column replaced jsonb;
alter table command_notes add column asked jsonb;

-- A dated suspension that stops billing: the lines are cut before it and go on after it.
create table subscription_pauses (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  -- The command that cut the lines: they are found by it when the pause ends early, or is withdrawn.
  request_id text not null,
  pause_period daterange not null check (not isempty(pause_period) and not lower_inf(pause_period)),
  reason text,
  -- When the instances were stopped and started for it. One that was stopped by hand before is not started by it.
  begun_at timestamptz,
  ended_at timestamptz check (ended_at is null or begun_at is not null),
  created_at timestamptz not null default now(),
  exclude using gist (subscription_id with =, pause_period with &&)
);
`

const usage = `
-- What comes after its window was billed goes on the next invoice, marked late; each event is in exactly one window.
alter table usage_windows
  add column is_late boolean not null default false,
  drop constraint usage_windows_quantity_check,
  -- Late, a gauge may turn out lower than it was billed.
  add check (quantity >= 0 or is_late),
  drop constraint usage_windows_subscription_line_id_window_period_excl,
  add exclude using gist (subscription_line_id with =, window_period with &&) where (not is_late);
alter table usage_events
  add column is_late boolean not null default false,
  add column late_window_id uuid references usage_windows,
  add check (late_window_id is null or is_late);
create index usage_events_late on usage_events (subscription_id) where is_late and late_window_id is null;
`

const invoices = `
alter table number_series
  add column last_hash bytea,
  add column last_issued_on date;
update number_series set last_issued_on = (select max(issued_on) from invoices where invoices.series = number_series.code);

alter table invoices
  add column revision integer not null default 0,
  add column reissue_of_id uuid references invoices,
  add column corrects_id uuid references invoices,
  add column finalize_on date,
  -- What is due when, of the total, where it is not due at once; due_on is the last day.
  add column instalments jsonb,
  add column are_prices_inclusive boolean not null default false,
  add column tax_rounding text not null default 'document' check (tax_rounding in ('document', 'line')),
  add column purchase_order_reference text,
  add column previous_hash bytea,
  add column hash bytea,
  add check (hash is null or finalized_at is not null),
  add check (corrects_id is null or kind = 'credit_note');
create index invoices_by_correction on invoices (corrects_id) where corrects_id is not null;
create index invoices_in_draft on invoices (finalize_on) where finalized_at is null and finalize_on is not null;

create table invoice_taxes (
  invoice_id uuid not null references invoices,
  position integer not null,
  category text not null,
  name text not null,
  rate_percent numeric not null check (rate_percent between 0 and 100),
  base_minor bigint not null,
  tax_minor bigint not null,
  note text,
  primary key (invoice_id, position)
);

-- A one-off of a customer that waits for the next invoice.
create table one_off_charges (
  id uuid primary key,
  customer_id uuid not null references customers,
  subscription_id uuid references subscriptions,
  test_clock_id uuid references test_clocks,
  product_id uuid references products,
  currency text not null,
  description text not null,
  quantity numeric not null check (quantity > 0),
  unit text not null,
  price jsonb not null,
  tax_category text not null default 'standard',
  reference text,
  charged_on date not null,
  withdrawn_at timestamptz,
  created_at timestamptz not null default now()
);
create index one_off_charges_waiting on one_off_charges (customer_id) where withdrawn_at is null;

-- It would refuse the new columns of lines that stand; its successor comes below.
drop trigger invoice_line_finalized on invoice_lines;
drop function guard_invoice_line();
alter table invoice_lines drop constraint invoice_lines_kind_check;
alter table invoice_lines
  add check (kind in ('one_time', 'recurring', 'usage', 'credit', 'late_usage', 'true_up', 'one_off', 'correction')),
  alter column subscription_line_id drop not null,
  alter column subscription_id drop not null,
  alter column product_id drop not null,
  alter column unit_price drop not null,
  add column revision integer not null default 0,
  add column one_off_charge_id uuid references one_off_charges,
  add column credits_line_id uuid references invoice_lines,
  add column rated_minor bigint,
  add column discount_minor bigint not null default 0,
  add column tax_category text not null default 'standard',
  add column tax_rate_percent numeric not null default 0,
  add column tax_minor bigint not null default 0;
update invoice_lines set rated_minor = amount_minor;
alter table invoice_lines
  alter column rated_minor set not null,
  drop constraint invoice_lines_subscription_line_id_kind_service_period_excl,
  drop constraint invoice_lines_check,
  drop constraint invoice_lines_check1,
  add check (kind in ('one_time', 'one_off', 'correction') or (service_period is not null and not isempty(service_period))),
  add check (kind in ('one_off', 'correction') or num_nonnulls(subscription_line_id, subscription_id, product_id) = 3),
  add check ((kind = 'one_off') = (one_off_charge_id is not null)),
  add check ((kind = 'correction') <= (credits_line_id is not null)),
  add check (kind in ('usage', 'late_usage') or usage_window_id is null),
  add check (rated_minor - discount_minor in (amount_minor, amount_minor + tax_minor)),
  -- A day of a line is charged once, and credited once; what is billed anew after a void is a revision.
  add constraint charged_once exclude using gist (subscription_line_id with =, kind with =, revision with =, service_period with &&)
    where (kind in ('recurring', 'usage', 'credit', 'true_up'));
drop index one_time_fee_once;
create unique index one_time_fee_once on invoice_lines (subscription_line_id, revision) where kind = 'one_time';
create unique index one_off_charge_once on invoice_lines (one_off_charge_id, revision) where kind = 'one_off';
create index invoice_lines_by_credit on invoice_lines (credits_line_id) where credits_line_id is not null;
-- The newest parts of a line are found without looking at those before them.
create index invoice_lines_by_line on invoice_lines (subscription_line_id, upper(service_period));

-- What takes from an invoice's open amount. Money that came back is a row of its own, so that nothing is rewritten.
create table allocations (
  id uuid primary key,
  invoice_id uuid not null references invoices,
  kind text not null check (kind in ('balance', 'credit_note', 'payment')),
  credit_note_id uuid references invoices,
  amount_minor bigint not null check (amount_minor > 0),
  reference text,
  allocated_at timestamptz not null,
  created_at timestamptz not null default now(),
  check ((kind = 'credit_note') = (credit_note_id is not null))
);
create index allocations_by_invoice on allocations (invoice_id);
create index allocations_by_credit_note on allocations (credit_note_id) where credit_note_id is not null;

create table invoice_marks (
  id uuid primary key,
  invoice_id uuid not null references invoices,
  kind text not null check (kind in ('void', 'uncollectible')),
  reason text not null,
  actor text not null,
  marked_at timestamptz not null,
  ended_at timestamptz,
  check (kind = 'uncollectible' or ended_at is null)
);
create unique index one_mark on invoice_marks (invoice_id, kind) where ended_at is null;

create table invoice_files (
  invoice_id uuid not null references invoices,
  kind text not null check (kind in ('pdf')),
  language text not null,
  sha256 bytea not null,
  content bytea not null,
  made_at timestamptz not null default now(),
  primary key (invoice_id, kind)
);
create trigger invoice_file_immutable before update or delete on invoice_files for each row execute function refuse_change();
create trigger invoice_file_kept before truncate on invoice_files for each statement execute function refuse_change();
create trigger allocation_immutable before update or delete on allocations for each row execute function refuse_change();
create trigger allocation_kept before truncate on allocations for each statement execute function refuse_change();
`

/** Once a statement instead of once a row: a chunk of a billing run finalizes hundreds of documents with thousands of lines. */
const triggers = `
drop trigger invoice_finalized on invoices;
drop function guard_invoice();

create function guard_invoice_change() returns trigger language plpgsql as $$
begin
  if old.finalized_at is not null then
    raise exception 'a finalized document never changes' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return coalesce(new, old);
end $$;
create trigger invoice_finalized before update or delete on invoices for each row execute function guard_invoice_change();

create function guard_invoice_totals() returns trigger language plpgsql set enable_seqscan = off as $$
declare bad record;
begin
  select invoice.id, lines.net_minor, lines.tax_minor, lines.line_count, taxes.tax_minor as breakdown_minor into bad
  from finalized invoice
  cross join lateral (
    select count(*) as line_count, coalesce(sum(amount_minor), 0) as net_minor, coalesce(sum(tax_minor), 0) as tax_minor,
      count(*) filter (where kind in ('usage', 'late_usage') and usage_window_id is null) as unmeasured
    from invoice_lines where invoice_id = invoice.id
  ) lines
  cross join lateral (select coalesce(sum(tax_minor), 0) as tax_minor from invoice_taxes where invoice_id = invoice.id) taxes
  where invoice.finalized_at is not null and (
    lines.line_count = 0 or lines.unmeasured > 0 or taxes.tax_minor <> lines.tax_minor
    or lines.net_minor <> invoice.net_minor * (case invoice.kind when 'credit_note' then -1 else 1 end)
    or lines.tax_minor <> invoice.tax_minor * (case invoice.kind when 'credit_note' then -1 else 1 end))
  limit 1;
  if not found then return null; end if;
  if bad.line_count = 0 then
    raise exception 'a document without lines is never made' using errcode = 'check_violation', constraint = 'invoice_empty';
  end if;
  raise exception 'lines of document % add up to % and % tax, its taxes to %: it says otherwise', bad.id, bad.net_minor, bad.tax_minor, bad.breakdown_minor
    using errcode = 'check_violation', constraint = 'invoice_total';
end $$;
create trigger invoice_adds_up after update on invoices referencing new table as finalized for each statement execute function guard_invoice_totals();

-- Documents that this transaction made are seen by nobody else; of others, whoever finalizes them at this moment is waited for.
-- Found by their ids: a connection plans this once, perhaps while the table is small, and keeps the plan when it has grown.
create function guard_invoice_parts() returns trigger language plpgsql set enable_seqscan = off as $$
declare ids uuid[] := array(select distinct invoice_id from changed);
begin
  perform from invoices where id = any (ids) and xmin <> pg_current_xact_id()::xid order by id for share;
  if exists (select from invoices where id = any (ids) and finalized_at is not null) then
    raise exception 'the lines of a finalized document never change' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return null;
end $$;
create trigger invoice_line_added after insert on invoice_lines referencing new table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_line_changed after update on invoice_lines referencing old table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_line_moved after update on invoice_lines referencing new table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_line_removed after delete on invoice_lines referencing old table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_tax_added after insert on invoice_taxes referencing new table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_tax_changed after update on invoice_taxes referencing old table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_tax_moved after update on invoice_taxes referencing new table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_tax_removed after delete on invoice_taxes referencing old table as changed for each statement execute function guard_invoice_parts();
create trigger invoice_tax_kept before truncate on invoice_taxes for each statement execute function refuse_change();

-- Credits never exceed the line they credit, allocations never the invoice nor the credit note: whoever adds one locks what it takes from.
create function guard_correction() returns trigger language plpgsql as $$
declare charged bigint; credited bigint;
begin
  select amount_minor into charged from invoice_lines where id = new.credits_line_id for update;
  -- A credit that was itself taken back, with the document it stood on, counts for nothing.
  select coalesce(-sum(credit.amount_minor + coalesce(undone.amount_minor, 0)), 0) into credited
  from invoice_lines credit
  left join lateral (select sum(amount_minor) as amount_minor from invoice_lines where credits_line_id = credit.id) undone on true
  where credit.credits_line_id = new.credits_line_id;
  if charged >= 0 and credited > charged or charged < 0 and credited < charged then
    raise exception '% credited of %', credited, charged using errcode = 'check_violation', constraint = 'credit_exceeds_line';
  end if;
  return null;
end $$;
create trigger credit_within_line after insert on invoice_lines for each row when (new.credits_line_id is not null) execute function guard_correction();

create function guard_allocation() returns trigger language plpgsql as $$
begin
  perform from invoices where id in (new.invoice_id, new.credit_note_id) order by id for no key update;
  if (select sum(amount_minor) from allocations where invoice_id = new.invoice_id) > (select total_minor from invoices where id = new.invoice_id)
    or (select sum(amount_minor) from allocations where credit_note_id = new.credit_note_id) > (select total_minor from invoices where id = new.credit_note_id) then
    raise exception 'more than the document holds' using errcode = 'check_violation', constraint = 'allocation_exceeds_document';
  end if;
  return null;
end $$;
create trigger allocation_within_document after insert on allocations for each row execute function guard_allocation();
`

const runs = `
create table billing_runs (
  id uuid primary key,
  workflow_id text not null unique,
  billed_at timestamptz not null,
  considered integer not null default 0,
  billed integer not null default 0,
  waiting integer not null default 0,
  parked integer not null default 0,
  totals jsonb not null default '{}',
  started_at timestamptz not null default now(),
  finished_at timestamptz
);
create index billing_runs_newest on billing_runs (started_at desc);

create table billing_run_exceptions (
  billing_run_id uuid not null references billing_runs,
  document_id uuid not null references subscription_documents,
  outcome text not null check (outcome in ('waiting', 'parked')),
  reason text not null,
  primary key (billing_run_id, document_id)
);
`
