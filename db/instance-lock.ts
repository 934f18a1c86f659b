import { sql } from 'kysely'
import type { Db } from './database.ts'

/**
 * Keeps a repair apart from whatever else starts, stops or removes an instance's containers. The lock belongs to a connection:
 * when its process dies, it is free again.
 */
export async function withInstanceLock<T>(db: Db, instanceId: string, work: () => Promise<T>): Promise<T> {
  return await db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${lockKey(instanceId)})`.execute(connection)
    return await unlocking(connection, instanceId, work)
  })
}

/** The same without waiting: undefined, and nothing done, while somebody else has it. */
export async function tryInstanceLock<T>(
  db: Db,
  instanceId: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ is_taken: boolean }>`
      select pg_try_advisory_lock(${lockKey(instanceId)}) as is_taken`.execute(connection)
    if (rows[0]?.is_taken !== true) return undefined
    return await unlocking(connection, instanceId, work)
  })
}

async function unlocking<T>(connection: Db, instanceId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await sql`select pg_advisory_unlock(${lockKey(instanceId)})`.execute(connection)
  }
}

function lockKey(instanceId: string) {
  return sql`hashtextextended(${`instance/${instanceId}`}, 0)`
}
