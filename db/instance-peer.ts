import type { Invitation, PeerState } from '#domain/peer.ts'
import { peerSignals } from '#domain/peer-message.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { acceptPeer } from './peer-pairing.ts'
import { signalPeer } from './peer-signal.ts'
import { startPeer } from './peer-start.ts'
import { closePeer, type By } from './peer.ts'
import type { InstallationKey } from './sealing.ts'

/** An installation that was built here, as a peer. */
export interface InstancePeer {
  readonly id: string
  readonly state: PeerState
  readonly haltedReason: string | null
  readonly createdAt: string
  /** Why the other side refused what was accepted here; null where it did not. */
  readonly refusal: string | null
}

/** What an instance is as a peer; undefined where it is none, or not any more. */
export async function findInstancePeer(db: Db, instanceId: string): Promise<InstancePeer | undefined> {
  return await db
    .selectFrom('peers as peer')
    .leftJoin('tasks as task', (join) =>
      join
        .onRef('task.subject_id', '=', 'peer.id')
        .on('task.subject_kind', '=', 'peer')
        .on('task.kind', '=', 'peer_halted')
        .on('task.closed_at', 'is', null),
    )
    .select(['peer.id', 'peer.state', 'peer.halted_reason as haltedReason'])
    .select(['peer.created_at as createdAt', 'task.detail as refusal'])
    .where('peer.instance_id', '=', instanceId)
    .where('peer.state', '<>', 'closed')
    .executeTakeFirst()
}

/** Takes the peer that somebody paired by hand at this address. @returns whether there is one */
export async function adoptPeer(
  db: Db,
  { instanceId, customerId, url }: { instanceId: string; customerId: string; url: string },
): Promise<boolean> {
  const adopted = await db
    .updateTable('peers')
    .set({ instance_id: instanceId })
    .where('customer_id', '=', customerId)
    .where('role', '=', 'customer')
    .where('url', '=', url)
    .where('state', '<>', 'closed')
    .where('instance_id', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return adopted !== undefined
}

/** Accepts the invitation that an instance made, for the customer that it was built for. @throws `peer_taken` */
export async function acceptInstance(
  db: Db,
  of: { instanceId: string; customerId: string; invitation: Invitation & { otherPeerId: string } },
  key: InstallationKey,
  by: By,
): Promise<void> {
  const id = newId()
  const { role, url, code, otherPeerId } = of.invitation
  await db.transaction().execute(async (tx) => {
    await acceptPeer(tx, { id, otherPeerId, role, customerId: of.customerId, url, code }, key, by)
    await tx.updateTable('peers').set({ instance_id: of.instanceId }).where('id', '=', id).execute()
    await startPeer(tx, id, { isAccepting: true })
  })
}

/** Ends the trust with a peer and has its workflow told. */
export async function endPeer(tx: Tx, peerId: string, by: By & { reason: string }): Promise<void> {
  await closePeer(tx, peerId, by)
  await signalPeer(tx, peerId, peerSignals.closed, by.now)
}

/** Since when the order of a step is carried out. */
export async function readOrderBegun(db: Db, buildOrderId: string): Promise<string | null> {
  const { begun_at: begunAt } = await db
    .selectFrom('build_orders')
    .select('begun_at')
    .where('id', '=', buildOrderId)
    .executeTakeFirstOrThrow()
  return begunAt
}
