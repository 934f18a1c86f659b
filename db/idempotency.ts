import { sql } from 'kysely'
import type { Db } from './database.ts'

export interface KeyedRequest {
  readonly principal: string
  readonly key: string
  readonly method: string
  readonly path: string
  readonly bodySha256: string
}

/** What is kept of a request; `status` is null while it runs. */
export interface KeptRequest {
  readonly method: string
  readonly path: string
  readonly bodySha256: string
  readonly status: number | null
  readonly response: unknown
  readonly createdAt: string
}

/**
 * Takes a key. The answer is true for one of many at once; the others wait here until that one's transaction ends, and
 * get false if it committed.
 */
export async function claimKey(db: Db, request: KeyedRequest): Promise<boolean> {
  const row = await db
    .insertInto('idempotency_keys')
    .values({
      principal: request.principal,
      key: request.key,
      method: request.method,
      path: request.path,
      body_sha256: request.bodySha256,
      status: null,
      response: null,
    })
    .onConflict((conflict) => conflict.columns(['principal', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst()
  return row !== undefined
}

export async function findKeptRequest(
  db: Db,
  request: Pick<KeyedRequest, 'principal' | 'key'>,
): Promise<KeptRequest | undefined> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['method', 'path', 'body_sha256', 'status', 'response', 'created_at'])
    .where('principal', '=', request.principal)
    .where('key', '=', request.key)
    .executeTakeFirst()
  return (
    row && {
      method: row.method,
      path: row.path,
      bodySha256: row.body_sha256,
      status: row.status,
      response: row.response,
      createdAt: row.created_at,
    }
  )
}

export async function keepAnswer(
  db: Db,
  request: Pick<KeyedRequest, 'principal' | 'key'>,
  answer: { status: number; body: unknown },
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ status: answer.status, response: JSON.stringify(answer.body) })
    .where('principal', '=', request.principal)
    .where('key', '=', request.key)
    .execute()
}

/** Gives a key back: its request was refused and left nothing. */
export async function releaseKey(db: Db, request: Pick<KeyedRequest, 'principal' | 'key'>): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('principal', '=', request.principal)
    .where('key', '=', request.key)
    .where('status', 'is', null)
    .execute()
}

/** Marks a request whose outcome is unknown as lost at once: the next one with its key takes it over. */
export async function abandonKey(db: Db, request: Pick<KeyedRequest, 'principal' | 'key'>): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ created_at: sql<string>`created_at - interval '1 hour'` })
    .where('principal', '=', request.principal)
    .where('key', '=', request.key)
    .where('status', 'is', null)
    .execute()
}

/** Answers are kept for a while; afterwards the same key is a new request. */
export async function forgetOldKeys(db: Db, before: string): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('created_at', '<', before).execute()
}
