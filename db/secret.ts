import type { Db } from './database.ts'

export interface SealedSecret {
  readonly name: string
  readonly keyId: string
  readonly sealed: Buffer
}

/** Stores sealed secrets that the instance lacks; the first value of a name stays. Gives all. */
export async function keepSecrets(
  db: Db,
  instanceId: string,
  secrets: readonly SealedSecret[],
): Promise<SealedSecret[]> {
  if (secrets.length > 0) {
    await db
      .insertInto('secrets')
      .values(
        secrets.map((secret) => ({
          instance_id: instanceId,
          name: secret.name,
          key_id: secret.keyId,
          sealed: secret.sealed,
          destroyed_at: null,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  return await listSecrets(db, instanceId)
}

export async function listSecrets(db: Db, instanceId: string): Promise<SealedSecret[]> {
  const rows = await db
    .selectFrom('secrets')
    .select(['name', 'key_id', 'sealed'])
    .where('instance_id', '=', instanceId)
    .where('retired_at', 'is', null)
    .where('destroyed_at', 'is', null)
    .execute()
  return rows.map((row) => ({ name: row.name, keyId: row.key_id, sealed: row.sealed }))
}

/** The instance that another one was restored from: its data knows its secrets, thus they go with it. */
export async function findRestoredInstance(db: Db, instanceId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('instances')
    .innerJoin('backups', 'backups.id', 'instances.restored_from_backup_id')
    .select('backups.instance_id')
    .where('instances.id', '=', instanceId)
    .executeTakeFirst()
  return row?.instance_id
}
