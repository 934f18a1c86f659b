import { sql, type Kysely } from 'kysely'

/** Exchange rates as data: each with its source and day, and none that is changed afterwards. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(rates).execute(db)
}

const rates = `
-- 1 of the base is so many of the quote. Of one pair and day the one that was recorded last holds: that is how a wrong one is corrected.
create table exchange_rates (
  id uuid primary key,
  base text not null check (base ~ '^[A-Z]{3}$'),
  quote text not null check (quote ~ '^[A-Z]{3}$'),
  rate numeric not null check (rate > 0),
  source text not null,
  valid_on date not null,
  created_at timestamptz not null default now(),
  check (base <> quote)
);
create index exchange_rates_pair on exchange_rates (base, quote, valid_on desc, id desc);
`
