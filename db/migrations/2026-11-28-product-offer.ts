import { sql, type Kysely } from 'kysely'

/** How a product is offered: hidden, in stock, as an add-on, with options and order fields; and what was chosen. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [offers, stocks, choices]) await sql.raw(part).execute(db)
}

const offers = `
alter table products add column is_hidden boolean not null default false;
alter table product_versions
  add column options jsonb not null default '[]' check (jsonb_typeof(options) = 'array'),
  add column order_fields jsonb not null default '[]' check (jsonb_typeof(order_fields) = 'array');
alter table kits add column is_hidden boolean not null default false;

-- Which products an add-on is sold beside. A product without a row here is sold by itself.
create table add_ons (
  product_id uuid not null references products,
  main_product_id uuid not null references products,
  primary key (product_id, main_product_id),
  check (product_id <> main_product_id)
);
create index on add_ons (main_product_id);

alter table subscription_lines
  -- The first line of the life that this add-on belongs to, and ends with.
  add column main_line_id uuid references subscription_lines check (main_line_id <> first_line_id);
create index on subscription_lines (main_line_id) where main_line_id is not null;
`

const stocks = `
-- How many there are to sell, and to one customer. The row is locked by whoever takes from it.
create table stocks (
  product_id uuid primary key references products,
  -- Null: as many as are asked for.
  quantity numeric,
  taken_quantity numeric not null default 0 check (taken_quantity >= 0),
  limit_per_customer numeric check (limit_per_customer > 0),
  is_returned boolean not null default true,
  check (taken_quantity <= quantity)
);

create table stock_takings (
  id uuid primary key,
  product_id uuid not null references stocks,
  customer_id uuid not null references customers,
  subscription_id uuid not null references subscriptions,
  quantity numeric not null check (quantity > 0),
  returned_at timestamptz,
  created_at timestamptz not null default now()
);
create index on stock_takings (subscription_id);
create index on stock_takings (product_id, customer_id);

-- However a subscription ends, what goes back goes back with it. Stocks are taken in one order, so that no two wait for each other.
create function stock_return() returns trigger language plpgsql as $$
declare
  returned record;
begin
  for returned in
    select taking.product_id, sum(taking.quantity) as quantity
    from stock_takings taking join stocks on stocks.product_id = taking.product_id
    where taking.subscription_id = new.id and taking.returned_at is null and stocks.is_returned
    group by taking.product_id order by taking.product_id
  loop
    update stocks set taken_quantity = taken_quantity - returned.quantity where product_id = returned.product_id;
    update stock_takings set returned_at = now()
      where subscription_id = new.id and product_id = returned.product_id and returned_at is null;
  end loop;
  return null;
end $$;
create trigger stock_return after update of phase on subscriptions
  for each row when (new.phase = 'ended' and old.phase <> 'ended') execute function stock_return();
`

const choices = `
alter table order_lines
  -- What was chosen and said; what is secret is not among it.
  add column answers jsonb not null default '{"options": {}, "fields": {}}';

-- Of drafts: sealed, bound to line and field. Whoever confirms seals them for the instance.
create table order_secrets (
  order_line_id uuid not null references order_lines on delete cascade,
  field text not null,
  key_id text not null,
  sealed bytea not null,
  primary key (order_line_id, field)
);

alter table instances
  -- Values of the application's variables; null stands for one that is sealed.
  add column variables jsonb not null default '{}';
`
