import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { ApplicationDefinition } from '#domain/application.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'

/**
 * Keeps an application under its code. The same compose file, read alike, is the same version; otherwise it becomes the next
 * version, and instances that were built stay on theirs.
 */
export async function saveApplication(
  db: Db,
  application: {
    compose: string
    definition: ApplicationDefinition
    files?: Readonly<Record<string, string>>
  },
): Promise<{ id: string; version: number }> {
  const { icon = null, ...definition } = application.definition
  const { compose } = application
  const { id } = await db
    .insertInto('applications')
    .values({ id: newId(), code: definition.code, title: definition.title, archived_at: null })
    .onConflict((conflict) => conflict.column('code').doUpdateSet({ title: definition.title }))
    .returning('id')
    .executeTakeFirstOrThrow()
  const sha256 = createHash('sha256').update(compose).digest('hex')
  const kept = await db
    .selectFrom('application_versions')
    .select('version')
    .where('application_id', '=', id)
    .where('compose_sha256', '=', sha256)
    .where(sql<boolean>`definition = ${JSON.stringify(definition)}::jsonb`)
    .where('icon', 'is not distinct from', icon)
    .orderBy('version', 'desc')
    .executeTakeFirst()
  if (kept) return { id, version: kept.version }
  return { id, version: await insertVersion(db, { ...application, id, sha256, definition, icon }) }
}

/** The application's row is locked by the caller's upsert, so that two versions never get one number. */
async function insertVersion(
  db: Db,
  application: {
    id: string
    sha256: string
    compose: string
    definition: ApplicationDefinition
    icon: string | null
    files?: Readonly<Record<string, string>>
  },
): Promise<number> {
  const { version } = await db
    .insertInto('application_versions')
    .values((insert) => ({
      id: newId(),
      application_id: application.id,
      version: insert
        .selectFrom('application_versions')
        .select((select) =>
          select(select.fn.coalesce(select.fn.max('version'), select.val(0)), '+', 1).as('next'),
        )
        .where('application_id', '=', application.id),
      compose: application.compose,
      compose_sha256: application.sha256,
      files: JSON.stringify(application.files ?? {}),
      definition: JSON.stringify(application.definition) as unknown as ApplicationDefinition,
      icon: application.icon,
    }))
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}
