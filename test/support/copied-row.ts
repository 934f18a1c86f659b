import { sql } from 'kysely'
import type { Database, Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'

/** A copy of a row under a new id, or a given one, with some columns overridden: the shortest way to a row that is one step off. */
export async function copyRow(
  db: Db,
  table: keyof Database,
  id: string,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { id: copyId = newId() } = overrides as { readonly id?: string }
  const changes = JSON.stringify({ ...overrides, id: copyId })
  // What the database computes of a row is not given.
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = current_schema() and table_name = ${table} and is_generated = 'NEVER'`.execute(db)
  const columns = sql.join(rows.map(({ name }) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${columns})
    select ${columns} from (
      select (jsonb_populate_record(source, ${changes}::jsonb)).* from ${sql.table(table)} as source where id = ${id}
    ) copy`.execute(db)
  return copyId
}
