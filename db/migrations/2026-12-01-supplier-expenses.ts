import { sql, type Kysely } from 'kysely'

/** What a supplier's lines are for, as it is agreed on our side: by the names that the supplier gives them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table expense_categories (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,59}$'),
  name text not null check (length(name) between 1 and 200),
  -- Of our own chart of accounts.
  account text check (length(account) between 1 and 40),
  archived_at timestamptz,
  created_at timestamptz not null default now()
);

create table expense_mappings (
  supplier_id uuid not null references suppliers,
  matches text not null check (matches in ('product_code', 'description')),
  value text not null check (length(value) between 1 and 2000),
  expense_category_id uuid not null references expense_categories,
  agreed_by text not null,
  agreed_at timestamptz not null,
  primary key (supplier_id, matches, value)
);

create table supplier_tax_codes (
  supplier_id uuid not null references suppliers,
  -- As the supplier has them.
  tax_category text not null check (length(tax_category) between 1 and 40),
  rate_percent numeric not null check (rate_percent between 0 and 100),
  -- As our books have it.
  tax_code text not null check (length(tax_code) between 1 and 40),
  agreed_by text not null,
  agreed_at timestamptz not null,
  primary key (supplier_id, tax_category, rate_percent)
);
`,
    )
    .execute(db)
}
