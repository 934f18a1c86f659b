import { sql, type Kysely } from 'kysely'

/** What annuls an invoice is itself one where others credited more of its charges than it came to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(annulment).execute(db)
}

const annulment = `
alter table invoices drop constraint invoices_check5;
-- A credit note may correct nothing: that of a bill which came to less than nothing.
alter table invoices add constraint corrects_another check (corrects_id <> id);
`
