import { sql } from 'kysely'
import type { Database, Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'

/** A copy of a row under a new id, with some columns overridden: the shortest way to a row that is one step off. */
export async function copyRow(
  db: Db,
  table: keyof Database,
  id: string,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const copyId = newId()
  const changes = JSON.stringify({ ...overrides, id: copyId })
  await sql`insert into ${sql.table(table)}
    select (jsonb_populate_record(source, ${changes}::jsonb)).* from ${sql.table(table)} as source where id = ${id}`.execute(
    db,
  )
  return copyId
}
