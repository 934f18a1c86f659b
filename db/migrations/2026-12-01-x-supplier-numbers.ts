import { sql, type Kysely } from 'kysely'

/** Whether a supplier gave a number before is looked up with each of its documents, of all that it ever sent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw('create index supplier_invoices_by_number on supplier_invoices (supplier_id, number)')
    .execute(db)
}
