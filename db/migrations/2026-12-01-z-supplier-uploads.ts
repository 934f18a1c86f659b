import { sql, type Kysely } from 'kysely'

/** The file that a supplier invoice was read from, as it came: what was not read of it is still there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table supplier_uploads (
  supplier_invoice_id uuid primary key references supplier_invoices,
  media_type text not null check (media_type in ('application/xml')),
  sha256 bytea not null check (length(sha256) = 32),
  content bytea not null
);
create trigger supplier_upload_immutable before update or delete on supplier_uploads
  for each row execute function refuse_change();
`,
    )
    .execute(db)
}
