import { BusinessError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import { raiseGenerations } from './replacement.ts'
import type { SealedSecret } from './secret.ts'

export interface Rotation {
  readonly instanceId: string
  readonly name: string
  readonly requestId: string
}

/**
 * Puts another value in a secret's place; the one before is kept until the new one was seen to work. The containers of the
 * services that use it are of an older generation from then on.
 * @returns false where this request began it before
 * @throws `not_found`
 */
export async function beginRotation(
  db: Db,
  rotation: Rotation,
  { sealed, services }: { sealed: SealedSecret; services: readonly string[] },
): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    if (await hasBegun(tx, rotation)) return false
    const current = await tx
      .updateTable('secrets')
      .set({ retired_at: new Date().toISOString() })
      .where('instance_id', '=', rotation.instanceId)
      .where('name', '=', rotation.name)
      .where('retired_at', 'is', null)
      .where('destroyed_at', 'is', null)
      .returning('version')
      .executeTakeFirst()
    if (current === undefined)
      throw new BusinessError('not_found', `The instance has no secret ${rotation.name}.`)
    await tx
      .insertInto('secrets')
      .values({
        instance_id: rotation.instanceId,
        name: rotation.name,
        version: current.version + 1,
        key_id: sealed.keyId,
        sealed: sealed.sealed,
        rotated_by: rotation.requestId,
        destroyed_at: null,
      })
      .execute()
    await raiseGenerations(tx, rotation.instanceId, services)
    return true
  })
}

async function hasBegun(tx: Tx, { instanceId, name, requestId }: Rotation): Promise<boolean> {
  const row = await tx
    .selectFrom('secrets')
    .select('version')
    .where('instance_id', '=', instanceId)
    .where('name', '=', name)
    .where('rotated_by', '=', requestId)
    .executeTakeFirst()
  return row !== undefined
}

/** The new value works: what it took the place of is destroyed. */
export async function endRotation(db: Db, { instanceId, name }: Rotation): Promise<void> {
  await db
    .updateTable('secrets')
    .set({ destroyed_at: new Date().toISOString(), sealed: Buffer.alloc(0) })
    .where('instance_id', '=', instanceId)
    .where('name', '=', name)
    .where('retired_at', 'is not', null)
    .where('destroyed_at', 'is', null)
    .execute()
}

/** The new value does not work: the one before is in its place again, and the containers are to be made with it. */
export async function undoRotation(
  db: Db,
  { instanceId, name, requestId }: Rotation,
  services: readonly string[],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const withdrawn = await tx
      .deleteFrom('secrets')
      .where('instance_id', '=', instanceId)
      .where('name', '=', name)
      .where('rotated_by', '=', requestId)
      .where('retired_at', 'is', null)
      .returning('version')
      .executeTakeFirst()
    if (withdrawn === undefined) return
    await tx
      .updateTable('secrets')
      .set({ retired_at: null })
      .where('instance_id', '=', instanceId)
      .where('name', '=', name)
      .where('version', '=', withdrawn.version - 1)
      .execute()
    await raiseGenerations(tx, instanceId, services)
  })
}
