import { sql } from 'kysely'
import type { DataSource } from '#domain/data-source.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

const passwordName = 'data_source_password'

/** Keeps a data source, or gives the code another one; the password is sealed, and bound to its row. */
export async function setDataSource(
  tx: Tx,
  key: InstallationKey | null,
  source: DataSource & { readonly password: string },
  by: { actor: string; now: string },
): Promise<string> {
  if (key === null) throw new Error('a password is sealed with the key file, which was not given')
  const { code, kind, host, port, username } = source
  const found = await tx
    .selectFrom('data_sources')
    .select('id')
    .where('code', '=', code)
    .forUpdate()
    .executeTakeFirst()
  const id = found?.id ?? newId()
  const { keyId, sealed } = seal(key, id, passwordName, source.password)
  const row = {
    kind,
    host,
    port,
    database_name: source.database,
    username,
    has_tls: source.hasTls,
    certificate_authority: source.certificateAuthority,
    key_id: keyId,
    sealed,
    set_at: by.now,
    set_by: by.actor,
  }
  if (found) await tx.updateTable('data_sources').set(row).where('id', '=', id).execute()
  else
    await tx
      .insertInto('data_sources')
      .values({ id, code, ...row })
      .execute()
  await insertEvent(tx, { kind: 'data_source.set', data: { code, host, username, actor: by.actor } })
  return id
}

/** @throws `not_found`, `in_use` while the newest version of an application names it */
export async function removeDataSource(tx: Tx, id: string, actor: string): Promise<void> {
  const row = await tx
    .selectFrom('data_sources')
    .select('code')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such data source.')
  const { rows } = await sql<{ code: string }>`
    select code from applications application where exists (
      select from application_versions version where version.application_id = application.id
        and jsonb_path_exists(version.definition, '$.metrics[*].source ? (@.data_source == $code)', jsonb_build_object('code', ${row.code}::text))
        and (version.version = (select max(version) from application_versions newest where newest.application_id = application.id)
          or exists (select from instances where application_version_id = version.id and state <> 'destroyed')))
    order by code`.execute(tx)
  if (rows.length > 0)
    throw new BusinessError('in_use', `Metrics are read from it: ${rows.map(({ code }) => code).join(', ')}.`)
  await tx.deleteFrom('data_sources').where('id', '=', id).execute()
  await insertEvent(tx, { kind: 'data_source.removed', data: { code: row.code, actor } })
}

/** Those of the codes that there are, opened. */
export async function openDataSources(
  db: Db,
  key: InstallationKey,
  codes: readonly string[],
): Promise<(DataSource & { readonly password: string })[]> {
  if (codes.length === 0) return []
  const rows = await db
    .selectFrom('data_sources')
    .selectAll()
    .where('code', '=', sql<string>`any(${codes}::text[])`)
    .execute()
  return rows.map((row) => ({
    code: row.code,
    kind: row.kind,
    host: row.host,
    port: row.port,
    database: row.database_name,
    username: row.username,
    hasTls: row.has_tls,
    certificateAuthority: row.certificate_authority,
    password: open(key, row.id, { name: passwordName, keyId: row.key_id, sealed: row.sealed }),
  }))
}

/** Of the codes, those that stand for nothing. */
export async function findUnknownDataSources(db: Db, codes: readonly string[]): Promise<string[]> {
  if (codes.length === 0) return []
  const rows = await db
    .selectFrom('data_sources')
    .select('code')
    .where('code', '=', sql<string>`any(${codes}::text[])`)
    .execute()
  const known = new Set(rows.map(({ code }) => code))
  return codes.filter((code) => !known.has(code))
}
