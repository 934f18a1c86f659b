import { sql, type Kysely } from 'kysely'

/** Customers whose documents somebody else pays; a document keeps the payer of its time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(payers).execute(db)
}

const payers = `
alter table customers
  add column payer_id uuid references customers,
  add constraint payer_is_another check (payer_id <> id);
create index customers_by_payer on customers (payer_id) where payer_id is not null;

-- A payer pays for himself: nobody has to follow a chain to know who pays.
create function guard_payer() returns trigger language plpgsql as $$
begin
  -- Of two who would make a chain of each other at once, one waits and sees the other.
  perform from customers where id in (new.id, new.payer_id) order by id for no key update;
  if exists (select from customers where id = new.payer_id and payer_id is not null)
    or exists (select from customers where payer_id = new.id)
  then
    raise exception 'a payer has no payer' using errcode = 'check_violation', constraint = 'payer_has_no_payer';
  end if;
  return new;
end;
$$;
create trigger customer_payer after insert or update of payer_id on customers
  for each row when (new.payer_id is not null) execute function guard_payer();

-- customer_id is who pays; this is for whom, where it is somebody else.
alter table invoices
  add column served_customer_id uuid references customers,
  add constraint served_is_another check (served_customer_id <> customer_id);
create index invoices_by_served_customer on invoices (served_customer_id, id desc) where served_customer_id is not null;
`
