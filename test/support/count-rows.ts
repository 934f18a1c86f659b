import { sql } from 'kysely'
import type { Db } from '#db/database.ts'

/** Every table with its number of rows. */
export async function countRows(db: Db): Promise<Record<string, number>> {
  const { rows } = await sql<{ name: string; rows: number }>`
    select table_name as name,
      (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I', table_name), false, true, '')))[1]::text::int as rows
    from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(db)
  return Object.fromEntries(rows.map((row) => [row.name, row.rows]))
}
