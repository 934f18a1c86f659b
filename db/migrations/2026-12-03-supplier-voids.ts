import { sql, type Kysely } from 'kysely'

/** What was recorded by hand and misread is voided: it stays as it was written, counts for nothing, and its number is free again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(columns).execute(db)
  await sql.raw(changes).execute(db)
  await sql.raw(allocations).execute(db)
}

const columns = `
alter table supplier_invoices
  add column voided_at timestamptz,
  add column voided_by text,
  add column void_reason text check (length(void_reason) between 1 and 500),
  add constraint void_is_told check (num_nulls(voided_at, voided_by, void_reason) in (0, 3)),
  -- What a peer sent is its word.
  add constraint void_only_by_hand check (voided_at is null or peer_id is null);
drop index one_of_a_number;
create unique index one_of_a_number on supplier_invoices (supplier_id, number) where peer_id is null and voided_at is null;
`

const changes = `
create function guard_supplier_invoice_void() returns trigger language plpgsql as $$
declare
  told text[] := array['voided_at', 'voided_by', 'void_reason', 'owed_minor'];
begin
  if old.voided_at is not null or new.voided_at is null or to_jsonb(old) - told is distinct from to_jsonb(new) - told then
    raise exception '% rows never change', tg_table_name using errcode = 'check_violation', constraint = tg_table_name || '_immutable';
  end if;
  if exists (select from supplier_allocations where supplier_invoice_id = old.id and payment_id is not null
      and standing_supplier_allocation(payment_id)) then
    raise exception 'it is paid' using errcode = 'check_violation', constraint = 'void_is_unpaid';
  end if;
  return new;
end $$;
drop trigger supplier_invoice_immutable on supplier_invoices;
create trigger supplier_invoice_immutable before update on supplier_invoices
  for each row execute function guard_supplier_invoice_void();
create trigger supplier_invoice_undeletable before delete on supplier_invoices
  for each row execute function refuse_change();
`

/** As it was, but that nothing is set against what is void, nor by it; what was before the void counts no more. */
const allocations = `
create or replace function guard_supplier_allocation() returns trigger language plpgsql as $$
declare
  invoice supplier_invoices%rowtype;
  note supplier_invoices%rowtype;
  payment supplier_payments%rowtype;
  taken_minor numeric;
begin
  -- The lock makes two at once see each other.
  select * into invoice from supplier_invoices where id = new.supplier_invoice_id for no key update;
  if invoice.voided_at is not null then
    raise exception 'it is void' using errcode = 'check_violation', constraint = 'supplier_allocation_not_void';
  end if;
  select coalesce(sum(allocation.amount_minor), 0) into taken_minor from supplier_allocations allocation
    left join supplier_invoices by_note on by_note.id = allocation.credit_note_id
    where allocation.supplier_invoice_id = invoice.id and by_note.voided_at is null and standing_supplier_allocation(allocation.payment_id);
  if taken_minor > invoice.owed_minor then
    raise exception 'more than the document holds' using errcode = 'check_violation', constraint = 'supplier_allocation_within_invoice';
  end if;
  if new.payment_id is not null then
    select * into payment from supplier_payments where id = new.payment_id;
    if (payment.supplier_id, payment.currency) is distinct from (invoice.supplier_id, invoice.currency) then
      raise exception 'of another supplier or currency' using errcode = 'check_violation', constraint = 'supplier_allocation_same_supplier';
    end if;
    return null;
  end if;
  select * into note from supplier_invoices where id = new.credit_note_id for no key update;
  if note.voided_at is not null then
    raise exception 'it is void' using errcode = 'check_violation', constraint = 'supplier_allocation_not_void';
  end if;
  if (note.supplier_id, note.currency) is distinct from (invoice.supplier_id, invoice.currency) then
    raise exception 'of another supplier or currency' using errcode = 'check_violation', constraint = 'supplier_allocation_same_supplier';
  end if;
  select coalesce(sum(allocation.amount_minor), 0) into taken_minor from supplier_allocations allocation
    join supplier_invoices against on against.id = allocation.supplier_invoice_id
    where allocation.credit_note_id = note.id and against.voided_at is null;
  if taken_minor > -note.owed_minor then
    raise exception 'more than the credit note gives' using errcode = 'check_violation', constraint = 'supplier_allocation_within_credit_note';
  end if;
  return null;
end $$;
`
