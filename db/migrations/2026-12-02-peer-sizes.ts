import { sql, type Kysely } from 'kysely'

/** A document that is larger than every version takes waits for one that understands more. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("alter table peer_messages add column needs text check (needs ~ '^[a-z_]{1,40}$')")
    .execute(db)
}
