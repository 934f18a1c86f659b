import { BusinessError } from '#domain/errors.ts'
import type { Db } from '../database.ts'

export type ServiceTermsRow = Awaited<ReturnType<typeof listServiceTerms>>[number]

/** Every version, the newest first: a seller has few. */
export async function listServiceTerms(db: Db) {
  return await db.selectFrom('service_terms').selectAll().orderBy('version', 'desc').execute()
}

/** @throws `not_found` */
export async function getServiceTerms(db: Db, version: number): Promise<ServiceTermsRow> {
  const row = await db
    .selectFrom('service_terms')
    .selectAll()
    .where('version', '=', version)
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', `There is no version ${version} of the terms of service.`)
  return row
}
