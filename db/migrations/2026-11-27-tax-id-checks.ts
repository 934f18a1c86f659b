import { sql, type Kysely } from 'kysely'

/** What registers said of customers' tax ids, kept for ever: it is the seller's proof for a supply without tax. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(checks).execute(db)
}

const checks = `
create table tax_id_checks (
  id uuid primary key,
  customer_id uuid not null references customers,
  tax_id text not null,
  answer text not null check (answer in ('valid', 'invalid', 'unreachable')),
  consultation_number text,
  registered_name text,
  -- Why a register was not reached.
  failure text,
  checked_at timestamptz not null,
  check ((answer = 'unreachable') = (failure is not null)),
  check (answer <> 'unreachable' or consultation_number is null)
);
create index tax_id_checks_by_customer on tax_id_checks (customer_id, id desc);
create trigger tax_id_check_immutable before update or delete on tax_id_checks for each row execute function refuse_change();
`
