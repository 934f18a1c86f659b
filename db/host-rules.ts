import type { HostRules } from '#domain/host-rules.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db } from './database.ts'

/** Whose containers are on a server, and the pool of their addresses there. */
export async function readGuests(db: Db, serverId: string): Promise<{ installation: string; pool: string }> {
  const { installation, pool } = await db
    .selectFrom('servers')
    .innerJoin('installation', (join) => join.onTrue())
    .select(['installation.id as installation', 'subnet_pool as pool'])
    .where('servers.id', '=', serverId)
    .executeTakeFirstOrThrow()
  return { installation: encodeId('installation', installation), pool }
}

/** Keeps what was seen of a server's rules; what was seen before is replaced. */
export async function noteHostRules(db: Db, serverId: string, rules: HostRules): Promise<void> {
  const seenAt = new Date().toISOString()
  await db
    .updateTable('servers')
    .set({ host_rules: { ...rules, seenAt } })
    .where('id', '=', serverId)
    .execute()
}

/** Servers on which containers are run, and what was seen of the rules of each; null before anybody looked. */
export async function listHostRules(
  db: Db,
): Promise<{ code: string; pool: string; rules: HostRules | null }[]> {
  return await db
    .selectFrom('servers')
    .select(['code', 'subnet_pool as pool', 'host_rules as rules'])
    .where('runner', '=', 'docker')
    .where('removed_at', 'is', null)
    .orderBy('code')
    .execute()
}
