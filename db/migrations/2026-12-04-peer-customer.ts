import { sql, type Kysely } from 'kysely'

/** As whom a supplier bills us: both sides see which customer a peer is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table peers
  -- The code of the customer over there, as it was told at pairing.
  add column billed_as text check (length(billed_as) between 1 and 60),
  add constraint billed_as_of_a_supplier check (role = 'supplier' or billed_as is null);
`,
    )
    .execute(db)
}
