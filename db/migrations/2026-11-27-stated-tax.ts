import { sql, type Kysely } from 'kysely'

/** Where law asks, a document in another currency states its tax in the seller's as well, by which rate and of which day. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(statedTax).execute(db)
}

const statedTax = `
alter table installation add column states_tax_in_own_currency boolean not null default false;
-- Tax with the rate that it was converted by, copied: the rates themselves may be corrected.
alter table invoices add column stated_tax jsonb check (stated_tax ?& array['currency', 'taxMinor', 'rate']);
`
