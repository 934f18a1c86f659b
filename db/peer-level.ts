import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { trustedPeerStates, type PeerRole } from '#domain/peer.ts'
import type { Db, Tx } from './database.ts'
import { queuePeerMessages } from './peer-queue.ts'
import { getInstallation } from './read/installation.ts'

/** As many levels and suppliers as are kept of one supplier. */
export const mostAbove = 1_000

/**
 * By which an installation is named to those below its customers: nobody learns from it who that is, but who knows its id already, as its
 * neighbours do.
 */
export function hashInstallation(installationId: string): string {
  return createHash('sha256')
    .update(`clouder installation ${encodeId('installation', installationId)}`)
    .digest('base64url')
}

/** Ourselves and all above us, as our customers are told. */
export async function readAbove(db: Db): Promise<string[]> {
  const { id } = await getInstallation(db)
  const { rows } = await sql<{ hash: string }>`
    select distinct unnest(above) as hash from peers where role = 'supplier' and state = any (${[...trustedPeerStates]}) order by hash`.execute(
    db,
  )
  const own = hashInstallation(id)
  return [own, ...rows.map(({ hash }) => hash).filter((hash) => hash !== own)].slice(0, mostAbove)
}

/** What a peer is told of who is above us: a customer all of it, a supplier nothing. */
export async function readAboveFor(db: Db, peerId: string): Promise<string[]> {
  const { role } = await db
    .selectFrom('peers')
    .select('role')
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  return role === 'customer' ? await readAbove(db) : []
}

/**
 * Refuses a supplier that we are above, and a customer that is above us. Who tells nothing of who is above it is seen as a neighbour only.
 * @param other.above of a supplier, as it tells
 * @throws `peer_cycle`
 */
export async function refuseCycle(
  tx: Tx,
  other: { role: PeerRole; installationId: string; above: readonly string[] },
): Promise<void> {
  await lockLevels(tx)
  const { id } = await getInstallation(tx)
  const opposite = await tx
    .selectFrom('peers')
    .select('id')
    .where('installation_id', '=', other.installationId)
    .where('role', '<>', other.role)
    .where('state', 'in', trustedPeerStates)
    .executeTakeFirst()
  const isClosed =
    other.role === 'supplier'
      ? other.above.includes(hashInstallation(id))
      : (await readAbove(tx)).includes(hashInstallation(other.installationId))
  if (opposite === undefined && !isClosed) return
  throw new BusinessError(
    'peer_cycle',
    'That would close a circle: who is to bill would be billed by who is to be billed, directly or through others.',
  )
}

/** Two that are paired with at once would not see each other, nor would one that is paired with be told of what is taken meanwhile. */
async function lockLevels(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('peer levels'))`.execute(tx)
}

/** What a supplier tells of itself and of who is above it, and the hashed id of itself in any case. */
export function aboveOf(supplier: { installationId: string; above: readonly string[] }): string[] {
  return [...new Set([hashInstallation(supplier.installationId), ...supplier.above])].slice(0, mostAbove)
}

/**
 * Keeps who is above a supplier, as it tells, and tells our own customers where that is something new.
 * @returns `circle` where we are above it ourselves; nothing was changed then
 */
export async function takeAbove(
  tx: Tx,
  { peerId, above }: { peerId: string; above: readonly string[] },
): Promise<'stored' | 'circle'> {
  const { id } = await getInstallation(tx)
  if (above.includes(hashInstallation(id))) return 'circle'
  await lockLevels(tx)
  const before = await readAbove(tx)
  const { installation_id: installationId } = await tx
    .selectFrom('peers')
    .select('installation_id')
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  const kept = installationId === null ? [...above] : aboveOf({ installationId, above })
  await tx.updateTable('peers').set({ above: kept }).where('id', '=', peerId).execute()
  if ((await readAbove(tx)).join() !== before.join()) await tellAbove(tx)
  return 'stored'
}

/** Tells our customers who is above us now. Their rows are locked, so this comes last. */
export async function tellAbove(tx: Tx): Promise<void> {
  const customers = await tx
    .selectFrom('peers')
    .select('id')
    .where('role', '=', 'customer')
    .where('state', 'in', trustedPeerStates)
    .orderBy('id')
    .execute()
  if (customers.length === 0) return
  const content = { above: await readAbove(tx) }
  for (const { id } of customers)
    await queuePeerMessages(tx, id, [{ kind: 'levels', subjectId: null, content }])
}
