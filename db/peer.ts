import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { trustedPeerStates, type PeerRole, type PeerState } from '#domain/peer.ts'
import { tellsWhatItHas } from '#domain/peer-message.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { refuseUnsettled } from './lost-document.ts'
import { revokeKeys } from './peer-key.ts'
import { tellAbove } from './peer-level.ts'
import { acceptRefusedDocuments } from './refused-document.ts'
import { openPeerTask } from './peer-task.ts'
import { closeTasks } from './task.ts'

export interface By {
  readonly actor: string
  readonly now: string
  readonly reason?: string
}

export interface PeerStanding {
  readonly role: PeerRole
  readonly state: PeerState
  readonly haltedReason: string | null
  readonly currency: string | null
  readonly url: string | null
  /** The last message was not taken. */
  readonly isSilent: boolean
  readonly installationId: string | null
  /** By which the other side knows us; null until somebody has accepted. */
  readonly otherPeerId: string | null
  /** What the other side has said that it understands. */
  readonly otherVersion: number
  readonly otherKinds: readonly string[]
  /** The last of our messages that it has taken, of those that have numbers. */
  readonly sentSequence: number
}

/** What a message needs to know of its peer, without counting what went over. */
export async function readPeerStanding(db: Db, peerId: string): Promise<PeerStanding> {
  return await db
    .selectFrom('peers')
    .select(['role', 'state', 'halted_reason as haltedReason', 'currency', 'url'])
    .select(['installation_id as installationId', 'other_peer_id as otherPeerId'])
    .select(['other_version as otherVersion', 'other_kinds as otherKinds', 'sent_sequence as sentSequence'])
    .select(sql<boolean>`waiting_reason is not null`.as('isSilent'))
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
}

/** Those that are asked what they have of ours. */
export async function listRecalledPeers(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('peers')
    .select(['id', 'role', 'other_version as otherVersion', 'other_kinds as otherKinds'])
    .where('state', 'in', trustedPeerStates)
    .execute()
  return rows.filter(tellsWhatItHas).map(({ id }) => id)
}

/** Of our messages to a peer, the last number. */
export async function readLastSequence(db: Db, peerId: string): Promise<number> {
  const { last_sequence: last } = await db
    .selectFrom('peers')
    .select('last_sequence')
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  return last
}

/**
 * Whether a message that a peer has of ours, by number and hash, is another one than the one that is here: after a restore from an older
 * backup numbers are given again. Of a number that no message has nothing is said: people have settled what had it.
 */
export async function isAnotherMessage(
  db: Db,
  peerId: string,
  of: { readonly sequence: number; readonly sha256: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('peer_messages')
    .select('sha256')
    .where('peer_id', '=', peerId)
    .where('sequence', '=', of.sequence)
    .executeTakeFirst()
  return row !== undefined && row.sha256?.toString('hex') !== of.sha256
}

/** Nothing goes on with a peer until a person, who has a task, has settled why. What waits, waits. */
export async function haltPeer(
  tx: Tx,
  peerId: string,
  of: { subject: string; reason: string },
): Promise<void> {
  const halted = await move(tx, peerId, ['active'], { state: 'halted', halted_reason: of.reason })
  if (halted) await insertEvent(tx, { kind: 'peer.halted', data: { peer: halted.name, reason: of.reason } })
  await openPeerTask(tx, peerId, {
    kind: 'peer_halted',
    subject: of.subject,
    detail: `${of.reason.replace(/\.?$/, '.')} Settle it with the other side, then resume the peer.`,
  })
}

/** Goes on with a halted peer, because a person has settled why. @throws `action_not_allowed` */
export async function resumePeer(tx: Tx, peerId: string, by: By): Promise<void> {
  await refuseUnsettled(tx, peerId)
  const resumed = await move(tx, peerId, ['halted'], { state: 'active', halted_reason: null })
  if (!resumed) throw new BusinessError('action_not_allowed', 'This peer is not halted.')
  await acceptRefusedDocuments(tx, peerId, by)
  await closeTasks(tx, { kind: 'peer', id: peerId, reason: 'resumed' }, ['peer_halted'])
  await insertEvent(tx, { kind: 'peer.resumed', data: { peer: resumed.name, actor: by.actor } })
}

/** Ends the trust: nothing is sent or taken any more. What was received stays. @throws `action_not_allowed` */
export async function closePeer(tx: Tx, peerId: string, by: By): Promise<void> {
  const open = ['invited', 'accepting', 'active', 'halted'] as const
  const { actor, now, reason } = by
  const ended = { state: 'closed', closed_at: now, halted_reason: null } as const
  const closed = await move(tx, peerId, open, {
    ...ended,
    ...(reason === undefined ? {} : { closed_reason: reason }),
  })
  if (!closed) throw new BusinessError('action_not_allowed', 'This peer is closed already.')
  await closeTasks(tx, { kind: 'peer', id: peerId, reason: 'closed' }, [
    'peer_unreachable',
    'peer_halted',
    'peer_message_refused',
    'peer_outdated',
    'peer_refuses',
  ])
  await revokeKeys(tx, { peerId, now })
  await insertEvent(tx, {
    kind: 'peer.closed',
    data: { peer: closed.name, actor, ...(reason === undefined ? {} : { reason }) },
  })
  if (closed.role === 'supplier' && closed.other_peer_id !== null) await tellAbove(tx)
}

/** Gives whom it moved; undefined for one that stands elsewhere. */
async function move(
  tx: Tx,
  peerId: string,
  from: readonly PeerState[],
  to: { state: PeerState; halted_reason: string | null; closed_at?: string; closed_reason?: string },
): Promise<{ name: string | null; role: PeerRole; other_peer_id: string | null } | undefined> {
  return await tx
    .updateTable('peers')
    .set(to)
    .where('id', '=', peerId)
    .where('state', 'in', from)
    .returning(['name', 'role', 'other_peer_id'])
    .executeTakeFirst()
}
