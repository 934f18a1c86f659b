import { sql, type Kysely } from 'kysely'

/** What products and kits say stands in versions, each from a day on; what was sold keeps the one it was sold by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [products, kits, sold]) await sql.raw(part).execute(db)
}

const products = `
create table product_versions (
  product_id uuid not null references products,
  version integer not null check (version >= 1),
  -- Orders of this day and later ones get it. The first version holds for every day before the others.
  effective_on date,
  name text not null,
  billing_type text not null check (billing_type in ('flat', 'usage', 'threshold')),
  billing_timing text not null check (billing_timing in ('advance', 'arrears')),
  recurrence_count integer check (recurrence_count >= 1),
  recurrence_unit text check (recurrence_unit in ('day', 'week', 'month', 'month_last_day', 'quarter', 'half_year', 'year')),
  unit text not null,
  price jsonb not null check (price ->> 'model' is not null),
  terms jsonb not null default '{}',
  category text,
  attributes jsonb not null default '{}',
  tax_category text not null default 'standard',
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  metric text,
  limit_code text,
  -- Its value is the quantity that one of the product sells.
  quantity_attribute text check (attributes ? quantity_attribute),
  created_at timestamptz not null default now(),
  primary key (product_id, version),
  constraint first_version_holds_always check ((version = 1) = (effective_on is null)),
  check ((recurrence_count is null) = (recurrence_unit is null)),
  check (billing_type <> 'usage' or (billing_timing = 'arrears' and metric is not null and recurrence_unit is not null)),
  check (billing_type = 'usage' or metric is null),
  check (billing_type = 'threshold' or limit_code is null),
  check (billing_type = 'threshold' or quantity_attribute is null)
);
insert into product_versions (product_id, version, name, billing_type, billing_timing, recurrence_count, recurrence_unit, unit,
    price, terms, category, attributes, tax_category, currency, metric, limit_code, quantity_attribute, created_at)
  select id, 1, name, billing_type, billing_timing, recurrence_count, recurrence_unit, unit,
    price, terms, category, attributes, tax_category, currency, metric, limit_code, quantity_attribute, created_at from products;
create trigger product_version_immutable before update or delete on product_versions for each row execute function refuse_change();

alter table products
  drop column name, drop column billing_type, drop column billing_timing, drop column recurrence_count,
  drop column recurrence_unit, drop column unit, drop column price, drop column terms, drop column category,
  drop column quantity_attribute, drop column attributes, drop column tax_category, drop column currency, drop column metric,
  drop column limit_code;

alter table product_applications add column version integer not null default 1;
alter table product_applications
  alter column version drop default,
  drop constraint product_applications_pkey,
  drop constraint product_applications_product_id_fkey,
  add primary key (product_id, version, application_id),
  add foreign key (product_id, version) references product_versions;
`

const kits = `
create table kit_versions (
  kit_id uuid not null references kits,
  version integer not null check (version >= 1),
  effective_on date,
  name text not null,
  -- What a kit costs instead of its flat and threshold components.
  price_product_id uuid references products,
  created_at timestamptz not null default now(),
  primary key (kit_id, version),
  constraint first_kit_version_holds_always check ((version = 1) = (effective_on is null))
);
insert into kit_versions (kit_id, version, name, price_product_id, created_at)
  select id, 1, name, price_product_id, created_at from kits;
create trigger kit_version_immutable before update or delete on kit_versions for each row execute function refuse_change();

alter table kits drop column name, drop column price_product_id;

alter table bill_of_materials add column version integer not null default 1;
alter table bill_of_materials
  alter column version drop default,
  drop constraint bill_of_materials_pkey,
  drop constraint bill_of_materials_kit_id_fkey,
  add primary key (kit_id, version, position),
  add foreign key (kit_id, version) references kit_versions;
`

const sold = `
alter table subscriptions add column kit_version integer;
update subscriptions set kit_version = 1 where kit_id is not null;
alter table subscriptions
  drop constraint subscriptions_kit_id_fkey,
  add constraint kit_has_version check ((kit_id is null) = (kit_version is null)),
  add constraint subscriptions_kit_version_fkey foreign key (kit_id, kit_version) references kit_versions;

alter table subscription_lines add column product_version integer not null default 1;
alter table subscription_lines
  alter column product_version drop default,
  drop constraint subscription_lines_product_id_fkey,
  add constraint subscription_lines_product_version_fkey foreign key (product_id, product_version) references product_versions;
create index lines_by_product_version on subscription_lines (product_id, product_version);
-- Lines that commands dropped come back as they were.
update subscription_commands set replaced = jsonb_set(replaced, '{dropped}',
    (select jsonb_agg(line || '{"product_version": 1}') from jsonb_array_elements(replaced -> 'dropped') line))
  where jsonb_array_length(replaced -> 'dropped') > 0;
`
