import { sql } from 'kysely'
import type { Db } from './database.ts'

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly mode: 'live' | 'test'
  readonly secretSha256: Buffer
  readonly scopes: readonly string[]
  readonly lastUsedAt: string | null
}

/** Those of the keys that may be used now, neither revoked nor expired, by id. */
export async function findApiKeys(db: Db, ids: readonly string[], now: string): Promise<Map<string, ApiKey>> {
  const rows = await db
    .selectFrom('api_keys')
    .select(['id', 'name', 'mode', 'secret_sha256', 'scopes', 'last_used_at'])
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .execute()
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        name: row.name,
        mode: row.mode,
        secretSha256: row.secret_sha256,
        scopes: row.scopes,
        lastUsedAt: row.last_used_at,
      },
    ]),
  )
}

export async function insertApiKey(
  db: Db,
  key: {
    id: string
    name: string
    mode: 'live' | 'test'
    secretSha256: Buffer
    scopes: string[]
    expiresAt: string | null
  },
): Promise<void> {
  await db
    .insertInto('api_keys')
    .values({
      id: key.id,
      name: key.name,
      mode: key.mode,
      secret_sha256: key.secretSha256,
      scopes: key.scopes,
      last_used_at: null,
      expires_at: key.expiresAt,
      revoked_at: null,
    })
    .execute()
}

export async function touchApiKey(db: Db, id: string, now: string): Promise<void> {
  await db.updateTable('api_keys').set({ last_used_at: now }).where('id', '=', id).execute()
}
