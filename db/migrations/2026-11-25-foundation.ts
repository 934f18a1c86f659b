import { sql, type Kysely } from 'kysely'

/** The first schema: catalog, orders, subscriptions, builds, usage, invoices, and what watches over them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [
    installation,
    access,
    catalog,
    customers,
    orders,
    subscriptions,
    building,
    usage,
    invoices,
    operations,
  ]) {
    await sql.raw(part).execute(db)
  }
}

const installation = `
create extension if not exists btree_gist;

create table installation (
  id uuid primary key,
  is_only boolean not null default true unique check (is_only),
  seller jsonb not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  time_zone text not null,
  payment_terms_days integer not null default 14 check (payment_terms_days between 0 and 365),
  settlement_window_seconds integer not null default 21600 check (settlement_window_seconds >= 0),
  sampling_interval_seconds integer not null default 300 check (sampling_interval_seconds >= 10),
  demo_seeded_at timestamptz,
  created_at timestamptz not null default now()
);
`

const access = `
create table operators (
  id uuid primary key,
  name text not null unique,
  created_at timestamptz not null default now()
);

create table login_links (
  token_sha256 bytea primary key,
  operator_id uuid not null references operators,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  created_at timestamptz not null default now()
);

create table sessions (
  token_sha256 bytea primary key,
  operator_id uuid not null references operators,
  form_token text not null,
  expires_at timestamptz not null,
  last_used_at timestamptz not null default now(),
  ended_at timestamptz,
  created_at timestamptz not null default now()
);

create table api_keys (
  id uuid primary key,
  name text not null,
  mode text not null check (mode in ('live', 'test')),
  secret_sha256 bytea not null unique,
  scopes text[] not null,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

-- The answer of a POST is kept with its effect, in one transaction: a failed one leaves no trace.
create table idempotency_keys (
  principal text not null,
  key text not null check (key ~ '^[\\x21-\\x7e]{1,255}$'),
  method text not null,
  path text not null,
  body_sha256 text not null,
  status integer,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (principal, key)
);
`

const catalog = `
create table applications (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  title text not null,
  created_at timestamptz not null default now(),
  archived_at timestamptz
);

create table application_versions (
  id uuid primary key,
  application_id uuid not null references applications,
  version integer not null check (version > 0),
  compose text not null,
  compose_sha256 text not null,
  definition jsonb not null,
  created_at timestamptz not null default now(),
  unique (application_id, version),
  unique (application_id, compose_sha256)
);

create table products (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,59}$'),
  name text not null,
  billing_type text not null check (billing_type in ('flat', 'usage', 'threshold')),
  billing_timing text not null check (billing_timing in ('advance', 'arrears')),
  recurrence_count integer check (recurrence_count >= 1),
  recurrence_unit text check (recurrence_unit in ('day', 'week', 'month', 'month_last_day', 'quarter', 'half_year', 'year')),
  unit text not null,
  base_price numeric not null check (base_price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  metric text,
  limit_code text,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  check ((recurrence_count is null) = (recurrence_unit is null)),
  check (billing_type <> 'usage' or (billing_timing = 'arrears' and metric is not null and recurrence_unit is not null)),
  check (billing_type = 'usage' or metric is null),
  check (billing_type = 'threshold' or limit_code is null)
);

create table product_applications (
  product_id uuid not null references products,
  application_id uuid not null references applications,
  primary key (product_id, application_id)
);

create table kits (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,59}$'),
  name text not null,
  archived_at timestamptz,
  created_at timestamptz not null default now()
);

create table bill_of_materials (
  kit_id uuid not null references kits,
  position integer not null,
  component_product_id uuid references products,
  component_kit_id uuid references kits,
  quantity numeric not null check (quantity > 0),
  sequence integer not null,
  primary key (kit_id, position),
  check (num_nonnulls(component_product_id, component_kit_id) = 1),
  check (component_kit_id <> kit_id)
);

create table price_lists (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,59}$'),
  name text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz not null default now()
);

create table price_list_items (
  id uuid primary key,
  price_list_id uuid not null references price_lists,
  product_id uuid references products,
  minimum_quantity numeric not null default 0 check (minimum_quantity >= 0),
  unit_price numeric check (unit_price >= 0),
  discount_percent numeric check (discount_percent between 0 and 100),
  valid_in daterange not null default daterange(null, null),
  created_at timestamptz not null default now(),
  check (num_nonnulls(unit_price, discount_percent) = 1),
  check (not isempty(valid_in))
);
`

const customers = `
create table test_clocks (
  id uuid primary key,
  number integer generated always as identity unique,
  name text not null,
  now_at timestamptz not null,
  target_at timestamptz,
  created_at timestamptz not null default now()
);

create function refuse_backward_clock() returns trigger language plpgsql as $$
begin
  if new.now_at < old.now_at then
    raise exception 'a test clock never goes back' using errcode = 'check_violation', constraint = 'clock_backwards';
  end if;
  return new;
end $$;
create trigger test_clock_forward before update on test_clocks for each row execute function refuse_backward_clock();

create table customers (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  name text not null,
  email text,
  address text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  time_zone text not null,
  price_list_id uuid references price_lists,
  created_at timestamptz not null default now()
);

create table environments (
  id uuid primary key,
  customer_id uuid not null references customers,
  prefix text not null unique check (prefix ~ '^[a-z][a-z0-9-]{0,39}$'),
  is_default boolean not null default true,
  created_at timestamptz not null default now()
);
create unique index one_default_environment on environments (customer_id) where is_default;

create table servers (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  runner text not null check (runner in ('docker', 'dry-run')),
  port_range int4range not null,
  facts jsonb not null default '{}',
  last_seen_at timestamptz,
  created_at timestamptz not null default now()
);
`

const orders = `
create table orders (
  id uuid primary key,
  customer_id uuid not null references customers,
  test_clock_id uuid references test_clocks,
  currency text not null,
  channel text not null,
  actor text not null,
  confirmed_at timestamptz not null,
  created_at timestamptz not null default now()
);
create index orders_by_customer on orders (customer_id, id desc);

create table order_lines (
  id uuid primary key,
  order_id uuid not null references orders,
  position integer not null,
  product_id uuid references products,
  kit_id uuid references kits,
  quantity numeric not null check (quantity > 0),
  unique (order_id, position),
  check (num_nonnulls(product_id, kit_id) = 1)
);
`

const subscriptions = `
create table subscription_documents (
  id uuid primary key,
  customer_id uuid not null references customers,
  interval_count integer not null check (interval_count >= 1),
  interval_unit text not null check (interval_unit in ('day', 'month', 'month_last_day')),
  currency text not null,
  billing_cycle_anchor date not null,
  time_zone text not null,
  test_clock_id uuid references test_clocks,
  next_period_index integer not null default 0,
  next_invoice_on date not null,
  parked_reason text,
  closed_at timestamptz,
  created_at timestamptz not null default now()
);
-- One open document gathers all lines of a customer on one interval and currency.
create unique index one_open_document on subscription_documents
  (customer_id, interval_count, interval_unit, currency, test_clock_id) nulls not distinct where closed_at is null;
create index documents_due on subscription_documents (next_invoice_on) where closed_at is null;

create table subscriptions (
  id uuid primary key,
  order_id uuid not null references orders,
  order_line_id uuid not null references order_lines,
  customer_id uuid not null references customers,
  environment_id uuid not null references environments,
  test_clock_id uuid references test_clocks,
  product_id uuid references products,
  kit_id uuid references kits,
  title text not null,
  currency text not null,
  phase text not null default 'ordered' check (phase in ('ordered', 'building', 'active', 'suspended', 'unbuilding', 'ended')),
  parked_reason text,
  activated_at timestamptz,
  starts_on date,
  cancel_requested_at timestamptz,
  cancel_reason text,
  ends_on date,
  suspended_reason text,
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  check (num_nonnulls(product_id, kit_id) = 1),
  check ((phase = 'ended') = (ended_at is not null)),
  check ((phase = 'suspended') <= (suspended_reason is not null)),
  check (phase not in ('active', 'suspended') or activated_at is not null)
);
create index subscriptions_by_customer on subscriptions (customer_id, id desc);
create index subscriptions_by_phase on subscriptions (phase, id desc);
create index subscriptions_by_order on subscriptions (order_id);
create index subscriptions_by_clock on subscriptions (test_clock_id) where test_clock_id is not null;
create index subscriptions_parked on subscriptions (id desc) where parked_reason is not null;

create function check_subscription_phase() returns trigger language plpgsql as $$
begin
  if new.phase <> old.phase and not (old.phase || '>' || new.phase = any (array[
    'ordered>building', 'ordered>ended', 'building>active', 'building>ended', 'building>unbuilding', 'active>suspended',
    'active>unbuilding', 'active>ended', 'suspended>active', 'suspended>unbuilding', 'unbuilding>ended', 'ordered>active'
  ])) then
    raise exception 'a subscription cannot go from % to %', old.phase, new.phase using errcode = 'check_violation', constraint = 'subscription_phase';
  end if;
  return new;
end $$;
create trigger subscription_phase before update on subscriptions for each row execute function check_subscription_phase();

create table instances (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  environment_id uuid not null references environments,
  server_id uuid not null references servers,
  application_version_id uuid not null references application_versions,
  sequence integer not null default 0,
  name text not null check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  generation integer not null default 1,
  host_port integer,
  state text not null default 'ordered'
    check (state in ('ordered', 'building', 'running', 'limited', 'suspended', 'cancelling', 'destroyed', 'failed')),
  state_at timestamptz not null default now(),
  destroyed_at timestamptz,
  created_at timestamptz not null default now(),
  check ((state = 'destroyed') = (destroyed_at is not null))
);
create unique index one_live_instance_per_name on instances (server_id, name) where destroyed_at is null;
create unique index one_live_instance_per_port on instances (server_id, host_port) where destroyed_at is null;
create index instances_by_subscription on instances (subscription_id);

create function check_instance_state() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not (old.state || '>' || new.state = any (array[
    'ordered>building', 'ordered>cancelling', 'ordered>destroyed', 'building>running', 'building>failed', 'building>cancelling', 'failed>building',
    'failed>cancelling', 'running>limited', 'limited>running', 'running>suspended', 'limited>suspended', 'suspended>running',
    'running>cancelling', 'limited>cancelling', 'suspended>cancelling', 'cancelling>destroyed', 'cancelling>failed', 'failed>destroyed'
  ])) then
    raise exception 'an instance cannot go from % to %', old.state, new.state using errcode = 'check_violation', constraint = 'instance_state';
  end if;
  return new;
end $$;
create trigger instance_state before update on instances for each row execute function check_instance_state();

-- A line is what was agreed: product, quantity, price, dates. A change ends it and opens its successor.
create table subscription_lines (
  id uuid primary key,
  first_line_id uuid not null references subscription_lines,
  subscription_id uuid not null references subscriptions,
  document_id uuid references subscription_documents,
  product_id uuid not null references products,
  instance_id uuid references instances,
  position integer not null,
  billing_type text not null check (billing_type in ('flat', 'usage', 'threshold')),
  billing_timing text not null check (billing_timing in ('advance', 'arrears')),
  interval_count integer,
  interval_unit text check (interval_unit in ('day', 'month', 'month_last_day')),
  description text not null,
  quantity numeric not null check (quantity >= 0),
  unit text not null,
  unit_price numeric not null check (unit_price >= 0),
  metric text,
  limit_code text,
  starts_on date,
  ends_on date,
  created_at timestamptz not null default now(),
  check ((interval_count is null) = (interval_unit is null)),
  check (ends_on is null or starts_on is not null),
  check (ends_on >= starts_on),
  check (starts_on is null or interval_unit is null or document_id is not null),
  -- A line and its successors never overlap.
  exclude using gist (first_line_id with =, daterange(starts_on, ends_on) with &&) where (starts_on is not null)
);
create index lines_by_subscription on subscription_lines (subscription_id);
create index lines_by_document on subscription_lines (document_id);

-- Who asked for a command and why, in their own words: kept here, so that no history of a workflow holds either.
create table command_notes (
  subscription_id uuid not null references subscriptions,
  request_id text not null,
  actor text not null,
  reason text,
  asked_at timestamptz not null default now(),
  primary key (subscription_id, request_id)
);

-- The answer of every command is kept with its effect: given twice, it is carried out once.
create table subscription_commands (
  subscription_id uuid not null references subscriptions,
  request_id text not null,
  kind text not null,
  actor text not null,
  refusal jsonb,
  handled_at timestamptz not null default now(),
  primary key (subscription_id, request_id)
);
`

const building = `
create table build_orders (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  kind text not null check (kind in ('build', 'unbuild')),
  number integer not null,
  state text not null default 'planned' check (state in ('planned', 'running', 'done', 'failed', 'undone')),
  failure_code text,
  failure_detail text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (subscription_id, kind, number)
);
create unique index one_open_build_order on build_orders (subscription_id) where state in ('planned', 'running');

create table build_steps (
  id uuid primary key,
  build_order_id uuid not null references build_orders,
  instance_id uuid not null references instances,
  server_id uuid not null references servers,
  position integer not null,
  kind text not null,
  name text not null,
  title text not null,
  plan jsonb not null,
  state text not null default 'planned' check (state in ('planned', 'running', 'done', 'failed', 'undone')),
  attempt integer not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  progress text,
  failure_code text,
  failure_detail text,
  unique (build_order_id, position)
);

-- What really exists on a server, as it was observed: unbuild removes exactly this, by external id.
create table resources (
  id uuid primary key,
  instance_id uuid not null references instances,
  server_id uuid not null references servers,
  kind text not null check (kind in ('container', 'volume', 'network', 'image')),
  name text not null,
  component text not null default '',
  external_id text not null,
  made_at timestamptz not null default now(),
  removed_at timestamptz
);
create unique index one_live_resource on resources (instance_id, kind, name) where removed_at is null;

create table secrets (
  instance_id uuid not null references instances,
  name text not null,
  version integer not null default 1,
  key_id text not null,
  sealed bytea not null,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  primary key (instance_id, name, version)
);

create table limits (
  instance_id uuid not null references instances,
  code text not null,
  sold_quantity numeric not null,
  in_force_quantity numeric,
  in_force_at timestamptz,
  primary key (instance_id, code)
);

create table limit_commands (
  id uuid primary key,
  instance_id uuid not null references instances,
  limit_code text not null,
  quantity numeric not null,
  command text[] not null,
  exit_code integer,
  answer text,
  read_back text,
  duration_ms integer,
  sent_at timestamptz not null default now()
);
create index limit_commands_by_instance on limit_commands (instance_id, sent_at);
`

const usage = `
create table readings (
  id bigint generated always as identity primary key,
  instance_id uuid not null references instances,
  metric text not null,
  series text not null,
  value numeric not null check (value >= 0),
  unit text not null,
  is_opening boolean not null default false,
  read_at timestamptz not null,
  sampled_at timestamptz not null,
  unique (instance_id, metric, series, sampled_at)
);
create index readings_by_time on readings (instance_id, metric, read_at);

create table usage_events (
  id uuid primary key,
  source text not null,
  event_id text not null,
  subscription_id uuid not null references subscriptions,
  metric text not null,
  quantity numeric not null check (quantity >= 0),
  unit text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  unique (source, event_id)
);
create index usage_events_by_time on usage_events (subscription_id, metric, occurred_at);

-- What a billed usage line refers to. Written once, with its invoice; never changed.
create table usage_windows (
  id uuid primary key,
  subscription_line_id uuid not null references subscription_lines,
  metric text not null,
  quantity numeric not null check (quantity >= 0),
  unit text not null,
  window_period tstzrange not null check (not isempty(window_period) and not lower_inf(window_period) and not upper_inf(window_period)),
  reading_count integer not null,
  event_count integer not null,
  first_read_at timestamptz,
  last_read_at timestamptz,
  created_at timestamptz not null default now(),
  exclude using gist (subscription_line_id with =, window_period with &&)
);
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% rows never change', tg_table_name using errcode = 'check_violation', constraint = tg_table_name || '_immutable';
end $$;
create trigger usage_window_immutable before update or delete on usage_windows for each row execute function refuse_change();
create trigger usage_window_kept before truncate on usage_windows for each statement execute function refuse_change();
`

const invoices = `
-- The counter row is taken last inside the transaction that finalizes: a rollback leaves no gap.
create table number_series (
  code text primary key,
  next_number integer not null default 1 check (next_number >= 1)
);

create table invoices (
  id uuid primary key,
  kind text not null check (kind in ('invoice', 'credit_note')),
  billing_key text not null unique,
  customer_id uuid not null references customers,
  document_id uuid references subscription_documents,
  subscription_id uuid references subscriptions,
  test_clock_id uuid references test_clocks,
  currency text not null,
  issued_on date not null,
  due_on date not null,
  net_minor bigint not null,
  tax_minor bigint not null default 0,
  total_minor bigint not null,
  seller jsonb not null,
  buyer jsonb not null,
  series text,
  sequence integer,
  number text unique,
  finalized_at timestamptz,
  created_at timestamptz not null default now(),
  unique (series, sequence),
  check (net_minor + tax_minor = total_minor),
  check (total_minor >= 0),
  check ((finalized_at is null) = (number is null)),
  check ((finalized_at is null) = (sequence is null)),
  check (due_on >= issued_on)
);
create index invoices_by_customer on invoices (customer_id, id desc);
create index invoices_by_document on invoices (document_id);

create table invoice_lines (
  id uuid primary key,
  invoice_id uuid not null references invoices,
  position integer not null,
  kind text not null check (kind in ('one_time', 'recurring', 'usage', 'credit')),
  subscription_line_id uuid not null references subscription_lines,
  subscription_id uuid not null references subscriptions,
  product_id uuid not null references products,
  instance_id uuid references instances,
  usage_window_id uuid references usage_windows,
  description text not null,
  billing_type text not null,
  quantity numeric not null,
  unit text not null,
  unit_price numeric not null,
  service_period daterange,
  amount_minor bigint not null,
  explanation jsonb not null,
  unique (invoice_id, position),
  check (kind = 'one_time' or (service_period is not null and not isempty(service_period))),
  check ((kind = 'usage') = (usage_window_id is not null)),
  -- A day of a line is charged once, and credited once.
  exclude using gist (subscription_line_id with =, kind with =, service_period with &&) where (kind <> 'one_time')
);
create unique index one_time_fee_once on invoice_lines (subscription_line_id) where kind = 'one_time';
create index invoice_lines_by_subscription on invoice_lines (subscription_id);

create function guard_invoice() returns trigger language plpgsql as $$
declare lines_minor bigint; line_count integer;
begin
  if old.finalized_at is not null then
    raise exception 'a finalized document never changes' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  if tg_op = 'DELETE' then return old; end if;
  if new.finalized_at is not null then
    select coalesce(sum(amount_minor), 0), count(*) into lines_minor, line_count from invoice_lines where invoice_id = new.id;
    if line_count = 0 then
      raise exception 'a document without lines is never made' using errcode = 'check_violation', constraint = 'invoice_empty';
    end if;
    if abs(lines_minor) <> new.net_minor or (lines_minor < 0) <> (new.kind = 'credit_note') then
      raise exception 'lines add up to %, the document says %', lines_minor, new.net_minor using errcode = 'check_violation', constraint = 'invoice_total';
    end if;
  end if;
  return new;
end $$;
create trigger invoice_finalized before update or delete on invoices for each row execute function guard_invoice();
create trigger invoice_kept before truncate on invoices for each statement execute function refuse_change();

create function guard_invoice_insert() returns trigger language plpgsql as $$
begin
  if new.finalized_at is not null then
    raise exception 'a document begins as a draft' using errcode = 'check_violation', constraint = 'invoice_draft_first';
  end if;
  return new;
end $$;
create trigger invoice_draft_first before insert on invoices for each row execute function guard_invoice_insert();

create function guard_invoice_line() returns trigger language plpgsql as $$
begin
  -- Waits for whoever finalizes the document at this moment, so that no line slips in beside it.
  perform from invoices where id in (new.invoice_id, old.invoice_id) for share;
  if exists (select from invoices where id in (new.invoice_id, old.invoice_id) and finalized_at is not null) then
    raise exception 'the lines of a finalized document never change' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return coalesce(new, old);
end $$;
create trigger invoice_line_finalized before insert or update or delete on invoice_lines for each row execute function guard_invoice_line();
create trigger invoice_line_kept before truncate on invoice_lines for each statement execute function refuse_change();

create table billing_periods (
  document_id uuid not null references subscription_documents,
  period_index integer not null check (period_index >= 0),
  period daterange not null check (not isempty(period)),
  invoice_id uuid references invoices,
  billed_at timestamptz not null default now(),
  primary key (document_id, period_index),
  exclude using gist (document_id with =, period with &&)
);
create trigger billing_period_immutable before update or delete on billing_periods for each row execute function refuse_change();
create trigger billing_period_kept before truncate on billing_periods for each statement execute function refuse_change();
`

const operations = `
create table tasks (
  id uuid primary key,
  kind text not null,
  subject_kind text not null,
  subject_id uuid not null,
  subject text not null,
  detail text not null,
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  closed_reason text
);
create unique index one_open_task on tasks (kind, subject_kind, subject_id) where closed_at is null;

create table outbox (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('start_workflow')),
  key text not null unique,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  attempts integer not null default 0,
  last_error text,
  -- A row that is being worked on, or failed, is left alone until then.
  try_after timestamptz not null default now(),
  done_at timestamptz
);
create index outbox_waiting on outbox (id) where done_at is null;

-- The timeline. The transaction id lets a reader skip what is not yet visible to everyone, so that none is missed.
create table events (
  id bigint generated always as identity primary key,
  transaction_id xid8 not null default pg_current_xact_id(),
  kind text not null,
  customer_id uuid,
  subscription_id uuid,
  build_order_id uuid,
  invoice_id uuid,
  data jsonb not null default '{}',
  business_at timestamptz,
  occurred_at timestamptz not null default now()
);
create index events_by_subscription on events (subscription_id, id);
create index events_by_build on events (build_order_id, id) where build_order_id is not null;
create index events_in_order on events (transaction_id, id);

create function announce_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('clouder_events', '');
  return null;
end $$;
create trigger event_announced after insert on events for each statement execute function announce_event();
create trigger event_immutable before update on events for each row execute function refuse_change();
`
