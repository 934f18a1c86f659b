import { sql, type Kysely } from 'kysely'

/** Icons of applications: a data URL, beside the definition that every look at an instance reads. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table application_versions add column icon text
         check (icon ~ '^data:image/(png|jpeg);base64,' and length(icon) <= 100000)`,
    )
    .execute(db)
}
