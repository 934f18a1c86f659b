import { sql, type Kysely } from 'kysely'

/** As what a customer that is an installation counts our products, as it tells. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(table).execute(db)
  await sql.raw(mappedBefore).execute(db)
}

const table = `
create table told_expense_mappings (
  peer_id uuid primary key references peers,
  -- The newest: all of it, in place of what was told before.
  content jsonb not null,
  told_at timestamptz not null
);
`

/** A supplier that said that it understands this before anybody here could tell it is told once it says so again, with its next message. */
const mappedBefore = `
update peers set other_kinds = array_remove(other_kinds, 'expense_mappings') where role = 'supplier';
`
