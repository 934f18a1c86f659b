import { BusinessError, linkExpired } from '#domain/errors.ts'
import type { Db } from './database.ts'
import { tellOfInstance } from './instance-command.ts'
import { newId } from './identifier.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

/** What the sealed path is called. */
const pathField = 'path'

/** Keeps a link by the digest of its token; who made it is told in the timeline. */
export async function insertInstanceLogin(
  db: Db,
  login: { instanceId: string; tokenSha256: Buffer; actor: string; now: string; expiresAt: string },
): Promise<void> {
  await db
    .insertInto('instance_logins')
    .values({
      id: newId(),
      instance_id: login.instanceId,
      token_sha256: login.tokenSha256,
      actor: login.actor,
      made_at: login.now,
      expires_at: login.expiresAt,
    })
    .execute()
  await tellOfInstance(db, login.instanceId, 'instance.login_link_made', { by: login.actor })
}

/** Whether a link can still be opened; to look does not use it up. */
export async function isInstanceLoginOpen(db: Db, tokenSha256: Buffer, now: string): Promise<boolean> {
  const row = await db
    .selectFrom('instance_logins')
    .select('id')
    .where('token_sha256', '=', tokenSha256)
    .where('opened_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row !== undefined
}

/** Uses a link up: of two who try, one gets it. @throws `link_expired` */
export async function openInstanceLogin(db: Db, tokenSha256: Buffer, now: string) {
  const row = await db
    .updateTable('instance_logins')
    .set({ opened_at: now })
    .where('token_sha256', '=', tokenSha256)
    .where('opened_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'instance_id', 'actor'])
    .executeTakeFirst()
  if (row !== undefined) return row
  throw linkExpired()
}

/** Lays the path down for the one who opened the link. */
export async function keepLoginPath(db: Db, key: InstallationKey, id: string, path: string): Promise<void> {
  const { keyId, sealed } = seal(key, id, pathField, path)
  await db.updateTable('instance_logins').set({ key_id: keyId, sealed }).where('id', '=', id).execute()
}

/** Takes the path away. @throws `command_failed` when the application gave none */
export async function takeLoginPath(db: Db, key: InstallationKey, id: string): Promise<string> {
  return await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('instance_logins')
      .select(['key_id', 'sealed'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst()
    if (!row?.key_id || !row.sealed)
      throw new BusinessError('command_failed', 'The application gave no way in: its command says why.')
    await tx.updateTable('instance_logins').set({ key_id: null, sealed: null }).where('id', '=', id).execute()
    return open(key, id, { name: pathField, keyId: row.key_id, sealed: row.sealed })
  })
}
