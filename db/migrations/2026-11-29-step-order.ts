import { sql, type Kysely } from 'kysely'

/** A step says which it waits for. Steps that were planned before say nothing: each waits for the one before it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table build_steps add waits_for integer[];`).execute(db)
}
