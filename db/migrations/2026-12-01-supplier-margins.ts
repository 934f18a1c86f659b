import { sql, type Kysely } from 'kysely'

/** What a supplier's lines pay for here: said by the names that the supplier gives them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table cost_rules (
  supplier_id uuid not null references suppliers,
  matches text not null check (matches in ('subscription', 'product_code', 'description')),
  value text not null check (length(value) between 1 and 2000),
  server_id uuid references servers,
  subscription_id uuid references subscriptions,
  product_id uuid references products,
  set_by text not null,
  set_at timestamptz not null,
  primary key (supplier_id, matches, value),
  constraint pays_for_one_thing check (num_nonnulls(server_id, subscription_id, product_id) = 1)
);
`,
    )
    .execute(db)
}
