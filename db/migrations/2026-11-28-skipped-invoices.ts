import { sql, type Kysely } from 'kysely'

/** Invoices of nothing may be skipped: their lines stand as billed, on a document that has no number and is not sent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(skippedInvoices).execute(db)
}

const skippedInvoices = `
alter table installation add column skips_zero_invoices boolean not null default false;

alter table invoices add column skipped_at timestamptz,
  add constraint skipped_of_nothing check (skipped_at is null
    or (finalized_at is null and finalize_on is null and kind = 'invoice' and total_minor = 0));

create or replace function guard_invoice_change() returns trigger language plpgsql as $$
begin
  if old.finalized_at is not null or old.skipped_at is not null then
    raise exception 'a finalized document never changes' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return coalesce(new, old);
end $$;

create or replace function guard_invoice_parts() returns trigger language plpgsql set enable_seqscan = off as $$
declare ids uuid[] := array(select distinct invoice_id from changed);
begin
  perform from invoices where id = any (ids) and xmin <> pg_current_xact_id()::xid order by id for share;
  if exists (select from invoices where id = any (ids) and (finalized_at is not null or skipped_at is not null)) then
    raise exception 'the lines of a finalized document never change' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return null;
end $$;
`
