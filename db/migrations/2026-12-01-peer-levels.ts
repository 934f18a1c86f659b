import { sql, type Kysely } from 'kysely'

/** Who is above a supplier, as it tells: by that a circle is seen before it is closed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table peers
  -- Hashed ids of the supplier itself and of all who bill it, through however many.
  add column above text[] not null default '{}'
    constraint above_of_a_supplier check (role = 'supplier' or above = '{}'),
  add constraint above_bounded check (cardinality(above) <= 1000);
`,
    )
    .execute(db)
}
