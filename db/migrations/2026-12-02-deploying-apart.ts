import { sql, type Kysely } from 'kysely'

/**
 * Invoicing and deploying in two installations (G-21). What is billed elsewhere has no charge here, whatever computes it. What is
 * deployed elsewhere has a row that says where, and how it stands over there; the key for it is sealed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table subscriptions add column is_billed_elsewhere boolean not null default false;

create function refuse_billed_elsewhere() returns trigger language plpgsql as $$
begin
  if exists (select from added join subscriptions sold on sold.id = added.subscription_id where sold.is_billed_elsewhere) then
    raise exception 'what another installation bills is not charged here' using errcode = 'check_violation', constraint = 'billed_elsewhere';
  end if;
  return null;
end $$;
create trigger billed_elsewhere after insert on invoice_lines
  referencing new table as added for each statement execute function refuse_billed_elsewhere();
create trigger billed_elsewhere after insert on one_off_charges
  referencing new table as added for each statement execute function refuse_billed_elsewhere();

create function keep_who_bills() returns trigger language plpgsql as $$
begin
  raise exception 'who bills a subscription is agreed with its order' using errcode = 'check_violation', constraint = 'who_bills_is_kept';
end $$;
create trigger who_bills_is_kept before update on subscriptions for each row
  when (old.is_billed_elsewhere is distinct from new.is_billed_elsewhere) execute function keep_who_bills();

create table deployers (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  -- Without a slash at the end.
  url text not null check (url ~ '^https?://[!-~]+[^/]$' and length(url) <= 310),
  -- As whom this installation orders there: id or code.
  customer text not null check (length(customer) between 1 and 200),
  key_id text not null,
  sealed bytea not null,
  set_at timestamptz not null,
  set_by text not null,
  -- Up to where what was used there is here.
  usage_cursor text,
  usage_taken_at timestamptz,
  failing_since timestamptz,
  failure text,
  created_at timestamptz not null default now(),
  check ((failing_since is null) = (failure is null))
);

create table product_deployers (
  product_id uuid primary key references products,
  deployer_id uuid not null references deployers,
  product_there text check (length(product_there) between 1 and 200),
  kit_there text check (length(kit_there) between 1 and 200),
  set_at timestamptz not null,
  set_by text not null,
  constraint one_is_ordered_there check (num_nonnulls(product_there, kit_there) = 1)
);
create index on product_deployers (deployer_id);

-- Two that would make a product both wait for each other at its row.
create function refuse_deployed_twice() returns trigger language plpgsql as $$
begin
  perform from products where id = new.product_id for no key update;
  if exists (select from product_deployers where product_id = new.product_id)
    and exists (select from product_applications where product_id = new.product_id) then
    raise exception 'a product is deployed here or there' using errcode = 'check_violation', constraint = 'deployed_here_or_there';
  end if;
  return null;
end $$;
create constraint trigger deployed_here_or_there after insert on product_deployers
  for each row execute function refuse_deployed_twice();
create constraint trigger deployed_here_or_there after insert on product_applications
  for each row execute function refuse_deployed_twice();

create table deployments (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  -- The first line of what is deployed, whatever follows it.
  first_line_id uuid not null unique references subscription_lines,
  deployer_id uuid not null references deployers,
  product_there text,
  kit_there text,
  quantity numeric not null check (quantity > 0),
  state text not null default 'planned' check (state in ('planned', 'running', 'stopped', 'ended')),
  subscription_there text,
  phase_there text,
  parked_there text,
  address_there text,
  seen_at timestamptz,
  created_at timestamptz not null default now(),
  constraint one_is_deployed_there check (num_nonnulls(product_there, kit_there) = 1),
  constraint deployed_is_known check (state not in ('running', 'stopped') or subscription_there is not null),
  constraint one_deployment_there unique (deployer_id, subscription_there)
);
create index on deployments (subscription_id);

create function guard_deployment() returns trigger language plpgsql as $$
begin
  if old.state = 'ended' and new.state <> 'ended' then
    raise exception 'a deployment that has ended does not begin again' using errcode = 'check_violation', constraint = 'deployment_ended';
  end if;
  if old.subscription_there <> new.subscription_there then
    raise exception 'a deployment is one subscription over there' using errcode = 'check_violation', constraint = 'deployment_ordered_once';
  end if;
  return new;
end $$;
create trigger deployment_guarded before update on deployments for each row execute function guard_deployment();
`,
    )
    .execute(db)
}
