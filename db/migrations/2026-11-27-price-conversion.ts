import { sql, type Kysely } from 'kysely'

/** Price lists with items in several currencies, and with prices that a recorded rate converts; lines say by which. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table price_lists add column allows_conversion boolean not null default false;

-- Null: the currency of the list. A percentage or a formula is of another price, and in its currency.
alter table price_list_items
  add column currency text check (currency ~ '^[A-Z]{3}$'),
  add check (currency is null or price is not null);

-- The exchange rate by which the price came from another currency, as it was recorded.
alter table subscription_lines add column conversion jsonb check (conversion is null or conversion ->> 'rate' is not null);
`,
    )
    .execute(db)
}
