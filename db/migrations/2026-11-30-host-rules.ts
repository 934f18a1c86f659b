import { sql, type Kysely } from 'kysely'

/** What was seen, when its instances were compared last, of the rules that keep containers from their server. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table servers add column host_rules jsonb;
`,
    )
    .execute(db)
}
