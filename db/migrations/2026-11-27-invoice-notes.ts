import { sql, type Kysely } from 'kysely'

/** What the seller has printed on each document of a customer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`alter table customers add column invoice_note text check (length(invoice_note) between 1 and 1000)`)
    .execute(db)
}
