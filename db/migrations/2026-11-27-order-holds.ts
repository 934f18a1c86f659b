import { sql, type Kysely } from 'kysely'

/** What an order waits for before it is built: payment, acceptance, review, a verified mail address. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [settings, holds, payments, verifications, outbox, phases]) {
    await sql.raw(part).execute(db)
  }
}

const settings = `
alter table installation
  add column unpaid_order_days integer not null default 14 check (unpaid_order_days between 1 and 366),
  -- What becomes of money that came in for what was never built.
  add column unbuilt_payments text not null default 'balance' check (unbuilt_payments in ('balance', 'refund')),
  -- For which orders a mail address must be known to be the customer's own.
  add column mail_verification text not null default 'shop' check (mail_verification in ('never', 'shop', 'always')),
  add column review_rules jsonb not null default '{}';
alter table customers add column mail_verified_at timestamptz;
`

const holds = `
-- A sold order can be cancelled, or expire, as long as nothing of it is active.
alter table orders
  drop constraint orders_check,
  add column expired_at timestamptz,
  add constraint orders_end_check check (num_nonnulls(cancelled_at, expired_at) <= 1),
  add constraint orders_expired_check check (expired_at is null or confirmed_at is not null);

create table order_holds (
  id uuid primary key,
  order_id uuid not null references orders,
  kind text not null check (kind in ('payment', 'acceptance', 'review', 'mail_verification')),
  -- Of a review: by which rules of the seller.
  rule text,
  detail text not null,
  opened_at timestamptz not null,
  expires_at timestamptz check (expires_at > opened_at),
  settled_at timestamptz,
  outcome text check (outcome in ('released', 'refused', 'expired', 'withdrawn')),
  settled_by text,
  reason text,
  created_at timestamptz not null default now(),
  constraint order_holds_end_check check (num_nonnulls(settled_at, outcome, settled_by) in (0, 3))
);
create unique index one_open_hold on order_holds (order_id, kind) where settled_at is null;
create index order_holds_by_order on order_holds (order_id);
`

const payments = `
-- What is asked for before the build: it has no invoice number, for nothing was delivered.
create table payment_requests (
  id uuid primary key,
  order_id uuid not null references orders,
  currency text not null,
  -- With tax.
  total_minor bigint not null check (total_minor > 0),
  state text not null default 'open' check (state in ('open', 'paid', 'expired', 'closed')),
  opened_at timestamptz not null,
  expires_at timestamptz not null,
  settled_at timestamptz,
  created_at timestamptz not null default now(),
  constraint payment_requests_settled_check check ((state = 'open') = (settled_at is null))
);
create unique index one_open_payment_request on payment_requests (order_id) where state = 'open';
create index payment_requests_by_order on payment_requests (order_id);

-- What changed a customer's balance besides invoices and credit notes.
create table balance_movements (
  id uuid primary key,
  customer_id uuid not null references customers,
  currency text not null,
  test_clock_id uuid references test_clocks,
  kind text not null check (kind in ('payment', 'refund')),
  amount_minor bigint not null,
  payment_request_id uuid not null references payment_requests,
  reference text,
  actor text not null,
  recorded_at timestamptz not null,
  -- Of a refund: when the money was sent. Until then it is to be refunded.
  sent_at timestamptz check (sent_at is null or kind = 'refund'),
  created_at timestamptz not null default now(),
  constraint balance_movements_sign_check check (case kind when 'payment' then amount_minor > 0 else amount_minor < 0 end),
  -- The money of a request comes once, and goes back at most once.
  unique (payment_request_id, kind)
);
create index balance_movements_by_customer on balance_movements (customer_id);
`

const verifications = `
-- The token itself is shown once and kept nowhere.
create table mail_verifications (
  id uuid primary key,
  customer_id uuid not null references customers,
  email text not null,
  token_sha256 bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index mail_verifications_by_customer on mail_verifications (customer_id);
`

const outbox = `
alter table outbox
  drop constraint outbox_kind_check,
  add constraint outbox_kind_check check (kind in ('start_workflow', 'signal_workflow'));
`

const phases = `
create or replace function check_subscription_phase() returns trigger language plpgsql as $$
begin
  if new.phase <> old.phase and not (old.phase || '>' || new.phase = any (array[
    'ordered>building', 'ordered>ended', 'ordered>unbuilding', 'building>active', 'building>ended', 'building>unbuilding',
    'active>suspended', 'active>unbuilding', 'active>ended', 'suspended>active', 'suspended>unbuilding', 'unbuilding>ended',
    'ordered>active'
  ])) then
    raise exception 'a subscription cannot go from % to %', old.phase, new.phase using errcode = 'check_violation', constraint = 'subscription_phase';
  end if;
  -- Nothing is built, and nothing billed, while its order is held.
  if old.phase = 'ordered' and new.phase in ('building', 'active')
    and exists (select from order_holds where order_id = new.order_id and settled_at is null) then
    raise exception 'the order is held' using errcode = 'check_violation', constraint = 'order_held';
  end if;
  return new;
end $$;
`
