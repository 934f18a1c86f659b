import { BusinessError } from '#domain/errors.ts'
import type { RegistryLogin } from '#domain/registry.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

const passwordName = 'registry_password'

/** Keeps the login for a host, or gives the host another one; the password is sealed, and bound to its row. */
export async function setRegistryLogin(
  tx: Tx,
  key: InstallationKey | null,
  login: RegistryLogin,
  by: { actor: string; now: string },
): Promise<string> {
  if (key === null) throw new Error('a password is sealed with the key file, which was not given')
  const found = await tx
    .selectFrom('registries')
    .select('id')
    .where('host', '=', login.host)
    .forUpdate()
    .executeTakeFirst()
  const id = found?.id ?? newId()
  const { keyId, sealed } = seal(key, id, passwordName, login.password)
  const row = { username: login.username, key_id: keyId, sealed, set_at: by.now, set_by: by.actor }
  if (found) await tx.updateTable('registries').set(row).where('id', '=', id).execute()
  else
    await tx
      .insertInto('registries')
      .values({ id, host: login.host, ...row })
      .execute()
  const { host, username } = login
  await insertEvent(tx, { kind: 'registry.login_set', data: { host, username, actor: by.actor } })
  return id
}

/** @throws `not_found` */
export async function removeRegistry(tx: Tx, id: string, actor: string): Promise<void> {
  const gone = await tx.deleteFrom('registries').where('id', '=', id).returning('host').executeTakeFirst()
  if (!gone) throw new BusinessError('not_found', 'There is no such registry.')
  await insertEvent(tx, { kind: 'registry.removed', data: { host: gone.host, actor } })
}

/** The login for a host, opened; undefined where none is kept. */
export async function openRegistryLogin(
  db: Db,
  key: InstallationKey,
  host: string,
): Promise<RegistryLogin | undefined> {
  const row = await db.selectFrom('registries').selectAll().where('host', '=', host).executeTakeFirst()
  if (!row) return undefined
  const sealed = { name: passwordName, keyId: row.key_id, sealed: row.sealed }
  return { host, username: row.username, password: open(key, row.id, sealed) }
}
