import { sql, type Kysely } from 'kysely'

/** A metric that cannot be read says by a code what is the matter, where there is one for it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table metric_failures add code text check (code ~ '^[a-z][a-z_]{0,59}$');`).execute(db)
}
