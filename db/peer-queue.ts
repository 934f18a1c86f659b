import { sql } from 'kysely'
import { peerSignals, type PeerMessageContent, type PeerMessageKind } from '#domain/peer-message.ts'
import type { Db, Tx } from './database.ts'
import { holdNextKey } from './peer-next-key.ts'
import { signalPeer } from './peer-signal.ts'
import { openPeerTask } from './peer-task.ts'

export interface NewPeerMessage {
  readonly kind: PeerMessageKind
  /** What it is of, by our own id. */
  readonly subjectId: string | null
  /** Null for a kind that is made of rows that never change: see `db/peer-outgoing.ts`. */
  readonly content: PeerMessageContent | null
}

/**
 * Lays messages where they wait to be sent to a peer, in their order behind all that waits, in the transaction of what causes them:
 * none is forgotten, none is there that was rolled back. Their numbers have no gap.
 *
 * The peer's row is locked from here to the end of the transaction, so this comes last.
 */
export async function queuePeerMessages(
  tx: Tx,
  peerId: string,
  messages: readonly NewPeerMessage[],
): Promise<void> {
  if (messages.length === 0) return
  const peer = await tx
    .selectFrom('peers')
    .select(['last_sequence', 'is_awake'])
    .where('id', '=', peerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const rows = messages.map(({ kind, subjectId, content }, index) => ({
    peer_id: peerId,
    sequence: peer.last_sequence + 1 + index,
    kind,
    subject_id: subjectId,
    content: content === null ? null : JSON.stringify(content),
  }))
  await tx.insertInto('peer_messages').values(rows).execute()
  const last = peer.last_sequence + rows.length
  await tx
    .updateTable('peers')
    .set({ last_sequence: last, is_awake: true })
    .where('id', '=', peerId)
    .execute()
  if (!peer.is_awake) await signalPeer(tx, peerId, peerSignals.messagesWait, String(last))
}

/** What a peer was told last of this; undefined where nothing yet. It may be on its way still. */
export async function readLastTold(
  tx: Tx,
  peerId: string,
  { kind, subjectId }: Pick<NewPeerMessage, 'kind' | 'subjectId'>,
): Promise<PeerMessageContent | undefined> {
  const told = await tx
    .selectFrom('peer_messages')
    .select('content')
    .where('peer_id', '=', peerId)
    // Not `is not distinct from`: the index by subject would not be used.
    .where('subject_id', subjectId === null ? 'is' : '=', subjectId)
    .where('kind', '=', kind)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return told?.content ?? undefined
}

export interface Delivery {
  readonly messages: readonly { readonly sequence: number; readonly kind: PeerMessageKind }[]
  /** Whether they are known over there by these numbers. */
  readonly isNumbered: boolean
}

/** What the other side has taken, it has for good. Of version 1 it knows no numbers. */
export async function noteDelivered(db: Db, peerId: string, of: Delivery & { now: string }): Promise<void> {
  if (of.messages.length === 0) return
  const hasKey = of.messages.some(({ kind }) => kind === 'key')
  if (!hasKey) return await markDelivered(db, peerId, of)
  await db.transaction().execute(async (tx) => {
    await markDelivered(tx, peerId, of)
    await holdNextKey(tx, { peerId, now: of.now })
  })
}

/** One statement: who sends thousands waits for it before each hundred. */
async function markDelivered(
  db: Db,
  peerId: string,
  { messages, isNumbered, now }: Delivery & { now: string },
): Promise<void> {
  const sequences = messages.map(({ sequence }) => sequence)
  await sql`
    with numbered as (
      update peers set sent_sequence = greatest(sent_sequence, ${Math.max(...sequences)})
      where id = ${peerId} and ${isNumbered})
    update peer_messages set delivered_at = ${now}
    where peer_id = ${peerId} and sequence = any(${sequences}) and delivered_at is null`.execute(db)
}

/** Whether nothing waits that the other side understands: then the peer's workflow sleeps, and is told of the next one. */
export async function fallAsleep(db: Db, peerId: string): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    await tx
      .selectFrom('peers')
      .select('id')
      .where('id', '=', peerId)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow()
    if ((await readBacklog(tx, peerId)).waiting > 0 || (await hasFileless(tx, peerId))) return false
    await tellOfWhatIsNotUnderstood(tx, peerId)
    await tx.updateTable('peers').set({ is_awake: false }).where('id', '=', peerId).execute()
    return true
  })
}

/** It waits until the other side says that it understands it, which an operator brings about. */
async function tellOfWhatIsNotUnderstood(tx: Tx, peerId: string): Promise<void> {
  const left = await tx
    .selectFrom('peer_messages')
    .select((eb) => ['kind', 'needs', eb.fn.countAll<number>().as('count')])
    .where('peer_id', '=', peerId)
    .where('delivered_at', 'is', null)
    .groupBy(['kind', 'needs'])
    .orderBy('kind')
    .orderBy('needs')
    .execute()
  if (left.length === 0) return
  const said = left.map(({ kind, needs, count }) => `${count} of kind ${kind}${sizeText(needs)}`).join(', ')
  const isEndless = left.some(({ needs }) => needs === 'larger')
  await openPeerTask(tx, peerId, {
    kind: 'peer_outdated',
    subject: 'A peer does not understand all that waits for it',
    detail: `Kept until it does: ${said}. Have the other installation brought up to date; documents go on meanwhile.${isEndless ? endlessAdvice : ''}`,
  })
}

function sizeText(needs: string | null): string {
  return needs === null ? '' : ` of ${needs === 'larger' ? 'more than any version takes' : 'a large size'}`
}

const endlessAdvice =
  ' What is more than any version takes is never sent: hand its file over, or credit it and bill it in smaller parts.'

/** Documents whose files were not laid down yet; none of a peer that takes no files. */
export function filelessDocuments(db: Db, peerId: string) {
  return db
    .selectFrom('peer_messages as message')
    .innerJoin('peers', 'peers.id', 'message.peer_id')
    .select('message.sequence')
    .where('message.peer_id', '=', peerId)
    .where('message.kind', '=', 'document')
    .whereRef('message.sequence', '>', 'peers.files_sequence')
    .where(sql<boolean>`'file' = any (peers.other_kinds)`)
}

async function hasFileless(tx: Tx, peerId: string): Promise<boolean> {
  return (await filelessDocuments(tx, peerId).limit(1).executeTakeFirst()) !== undefined
}

export interface Backlog {
  readonly waiting: number
  readonly since: string | null
}

/** Of `peer_messages` with `peers`: what the other side understands, and takes in its size. */
export const isUnderstood = sql<boolean>`kind = any (peers.other_kinds) and (needs is null or needs = any (peers.other_kinds))`

/** What waits of what the other side understands. */
export async function readBacklog(db: Db, peerId: string): Promise<Backlog> {
  const row = await db
    .selectFrom('peer_messages')
    .innerJoin('peers', 'peers.id', 'peer_messages.peer_id')
    .select((eb) => [eb.fn.countAll<number>().as('waiting'), eb.fn.min('queued_at').as('since')])
    .where('peer_id', '=', peerId)
    .where('delivered_at', 'is', null)
    .where(isUnderstood)
    .executeTakeFirstOrThrow()
  return { waiting: row.waiting, since: row.since }
}
