import { sql } from 'kysely'
import type { Db } from '#db/database.ts'

/**
 * The schema as the database's catalog describes it, as SQL in a stable order: extensions, functions, then each table
 * with its constraints, indexes, triggers and the way it is partitioned, and the views. Partitions come and go, and are not told.
 */
export async function readSchemaText(db: Db): Promise<string> {
  const tables = await listDefinitions(
    db,
    sql`select relname as name, oid::regclass::text as definition from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname not like 'kysely%'`,
  )
  const views = await listDefinitions(
    db,
    sql`select relname as name, format(E'create view %s as\n%s', relname, pg_get_viewdef(oid)) as definition from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'v'`,
  )
  const parts = [
    ...(await listDefinitions(
      db,
      sql`select extname as name, format('create extension %s', extname) as definition from pg_extension where extname <> 'plpgsql'`,
    )),
    ...(await listDefinitions(
      db,
      sql`select proname as name, pg_get_functiondef(pg_proc.oid) as definition from pg_proc
        where pronamespace = 'public'::regnamespace and not exists (select 1 from pg_depend where objid = pg_proc.oid and deptype = 'e')`,
    )),
  ].map((definition) => `${definition.trim()};\n`)
  for (const table of tables) parts.push(await describeTable(db, table))
  parts.push(...views.map((definition) => `${definition.trim()}\n`))
  return parts.join('\n')
}

async function describeTable(db: Db, table: string): Promise<string> {
  const columns = await listDefinitions(
    db,
    sql`select lpad(attnum::text, 4) as name, concat_ws(' ', attname, format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
        case when attidentity = 'a' then 'generated always as identity' end, 'default ' || pg_get_expr(adbin, adrelid)) as definition
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`,
  )
  // The catalog of PostgreSQL 18 has not-null constraints too; the columns say so already.
  const constraints = await listDefinitions(
    db,
    sql`select strpos('puxfc', contype::text) || conname::text as name, format('constraint %s %s', conname, pg_get_constraintdef(oid)) as definition
      from pg_constraint where conrelid = ${table}::regclass and contype in ('p', 'u', 'f', 'c', 'x')`,
  )
  const indexes = await listDefinitions(
    db,
    sql`select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
      where indrelid = ${table}::regclass and not exists (select 1 from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))`,
  )
  const triggers = await listDefinitions(
    db,
    sql`select tgname as name, pg_get_triggerdef(oid) as definition from pg_trigger where tgrelid = ${table}::regclass and not tgisinternal`,
  )
  const [partition = ''] = await listDefinitions(
    db,
    sql`select partrelid::text as name, ' PARTITION BY ' || pg_get_partkeydef(partrelid) as definition from pg_partitioned_table
      where partrelid = ${table}::regclass`,
  )
  const body = [...columns, ...constraints].map((definition) => `  ${definition}`).join(',\n')
  const others = [...indexes, ...triggers].map((definition) => `${definition};\n`).join('')
  return `CREATE TABLE ${table} (\n${body}\n)${partition};\n${others}`
}

async function listDefinitions(db: Db, query: ReturnType<typeof sql>): Promise<string[]> {
  const { rows } = await sql<{ definition: string }>`
    select definition from (${query}) as found order by name::text collate "C"`.execute(db)
  return rows.map((row) => row.definition)
}
