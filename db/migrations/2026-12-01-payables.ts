import { sql, type Kysely } from 'kysely'

/** Suppliers, with or without a peer, and what happens to what they bill: payments, set-offs, reversals. All of it is only added to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(suppliers).execute(db)
  await sql.raw(payments).execute(db)
}

const suppliers = `
create table suppliers (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,59}$'),
  name text not null check (length(name) between 1 and 300),
  -- The installation that sends its documents, where one does.
  peer_id uuid unique references peers,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  tax_id text,
  created_at timestamptz not null default now()
);
insert into suppliers (id, code, name, peer_id, currency)
select id, 'peer-' || replace(id::text, '-', ''), coalesce(name, 'Supplier'), id, currency
from peers where role = 'supplier' and currency is not null;

alter table supplier_invoices
  add column supplier_id uuid references suppliers,
  add column origin text not null default 'peer' check (origin in ('peer', 'hand', 'csv', 'ubl')),
  add column recorded_by text,
  -- A credit note says what it gives back: below 0 is what the supplier owes us.
  add column owed_minor bigint not null generated always as (case kind when 'credit_note' then -total_minor else total_minor end) stored,
  alter column peer_id drop not null;
alter table supplier_invoices disable trigger supplier_invoice_immutable;
update supplier_invoices set supplier_id = suppliers.id from suppliers where suppliers.peer_id = supplier_invoices.peer_id;
alter table supplier_invoices enable trigger supplier_invoice_immutable;
alter table supplier_invoices
  alter column supplier_id set not null,
  alter column origin drop default,
  add constraint from_one_source check ((origin = 'peer') = (peer_id is not null) and (origin = 'peer') = (recorded_by is null));
create index supplier_invoices_by_supplier on supplier_invoices (supplier_id, document_id);
create index supplier_invoices_by_correction on supplier_invoices (supplier_id, corrects_document_id) where corrects_document_id is not null;
-- Of what a peer sends, its own id is the key.
create unique index one_of_a_number on supplier_invoices (supplier_id, number) where peer_id is null;

create function guard_supplier_invoice() returns trigger language plpgsql as $$
begin
  if new.peer_id is distinct from (select peer_id from suppliers where id = new.supplier_id) then
    raise exception 'a supplier that is a peer sends its documents, and no other does' using errcode = 'check_violation', constraint = 'made_by_its_supplier';
  end if;
  return null;
end $$;
create trigger made_by_its_supplier after insert on supplier_invoices
  for each row execute function guard_supplier_invoice();
`

const payments = `
create table supplier_payments (
  id uuid primary key,
  supplier_id uuid not null references suppliers,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor > 0),
  paid_on date not null,
  reference text,
  actor text not null,
  recorded_at timestamptz not null
);
create index supplier_payments_by_supplier on supplier_payments (supplier_id, id desc);

create table supplier_payment_reversals (
  payment_id uuid primary key references supplier_payments,
  reason text not null,
  actor text not null,
  reversed_at timestamptz not null
);

-- What was set against a supplier invoice: money that we paid, or a credit note of the same supplier.
create table supplier_allocations (
  id uuid primary key,
  supplier_invoice_id uuid not null references supplier_invoices,
  payment_id uuid references supplier_payments,
  credit_note_id uuid references supplier_invoices,
  amount_minor bigint not null check (amount_minor > 0),
  allocated_at timestamptz not null,
  constraint set_against_by_one check (num_nonnulls(payment_id, credit_note_id) = 1),
  constraint paid_once_each unique (payment_id, supplier_invoice_id)
);
create index supplier_allocations_by_invoice on supplier_allocations (supplier_invoice_id);
create index supplier_allocations_by_credit_note on supplier_allocations (credit_note_id) where credit_note_id is not null;

create function standing_supplier_allocation(payment uuid) returns boolean language sql stable as $$
  select payment is null or not exists (select from supplier_payment_reversals where payment_id = payment)
$$;

create function guard_supplier_allocation() returns trigger language plpgsql as $$
declare
  invoice supplier_invoices%rowtype;
  note supplier_invoices%rowtype;
  payment supplier_payments%rowtype;
  taken_minor numeric;
begin
  -- The lock makes two at once see each other.
  select * into invoice from supplier_invoices where id = new.supplier_invoice_id for no key update;
  select coalesce(sum(amount_minor), 0) into taken_minor from supplier_allocations
    where supplier_invoice_id = invoice.id and standing_supplier_allocation(payment_id);
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
  if (note.supplier_id, note.currency) is distinct from (invoice.supplier_id, invoice.currency) then
    raise exception 'of another supplier or currency' using errcode = 'check_violation', constraint = 'supplier_allocation_same_supplier';
  end if;
  select coalesce(sum(amount_minor), 0) into taken_minor from supplier_allocations where credit_note_id = note.id;
  if taken_minor > -note.owed_minor then
    raise exception 'more than the credit note gives' using errcode = 'check_violation', constraint = 'supplier_allocation_within_credit_note';
  end if;
  return null;
end $$;
create trigger supplier_allocation_within_document after insert on supplier_allocations
  for each row execute function guard_supplier_allocation();

create function guard_supplier_payment() returns trigger language plpgsql as $$
begin
  if new.amount_minor <> (select coalesce(sum(amount_minor), 0) from supplier_allocations where payment_id = new.id) then
    raise exception 'a payment is the sum of what it pays' using errcode = 'check_violation', constraint = 'supplier_payment_allocated';
  end if;
  return null;
end $$;
create constraint trigger supplier_payment_allocated after insert on supplier_payments deferrable initially deferred
  for each row execute function guard_supplier_payment();
create function guard_supplier_payment_part() returns trigger language plpgsql as $$
begin
  if new.payment_id is not null and (select amount_minor from supplier_payments where id = new.payment_id)
    <> (select sum(amount_minor) from supplier_allocations where payment_id = new.payment_id) then
    raise exception 'a payment is the sum of what it pays' using errcode = 'check_violation', constraint = 'supplier_payment_allocated';
  end if;
  return null;
end $$;
create constraint trigger supplier_payment_part_allocated after insert on supplier_allocations deferrable initially deferred
  for each row execute function guard_supplier_payment_part();

create trigger supplier_payment_immutable before update or delete on supplier_payments
  for each row execute function refuse_change();
create trigger supplier_payment_reversal_immutable before update or delete on supplier_payment_reversals
  for each row execute function refuse_change();
create trigger supplier_allocation_immutable before update or delete on supplier_allocations
  for each row execute function refuse_change();
`
