import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import type { PeerMessageContent, PeerMessageKind } from '#domain/peer-message.ts'
import { hashOf } from './content-hash.ts'
import type { Db } from './database.ts'
import { readSupplierDocuments } from './supplier-document.ts'

interface QueuedMessage {
  readonly sequence: number
  readonly kind: PeerMessageKind
  readonly subject_id: string | null
  readonly content: PeerMessageContent | null
}

/** What messages of one kind say, by their numbers. */
type MessageReader = (
  db: Db,
  messages: readonly QueuedMessage[],
) => Promise<ReadonlyMap<number, PeerMessageContent>>

/** Kinds that are made of rows which never change; every other one says what was queued. */
const readers: Partial<Record<PeerMessageKind, MessageReader>> = {
  document: readDocuments,
}

async function readDocuments(db: Db, messages: readonly QueuedMessage[]) {
  const ids = messages.flatMap(({ subject_id: id }) => id ?? [])
  const documents = await readSupplierDocuments(db, ids)
  return new Map(
    messages.map(({ sequence, subject_id: id }) => {
      const document = documents.get(id ?? '')
      assert(document, 'what waits is a document')
      return [sequence, { ...document }]
    }),
  )
}

export interface WaitingMessage {
  readonly sequence: number
  readonly kind: PeerMessageKind
  readonly sha256: Buffer
  readonly content: PeerMessageContent
}

/**
 * The next messages to a peer in their order, of those that it understands. What is sent the first time is noted by its hash, and
 * never sent otherwise.
 */
export async function readWaitingMessages(
  db: Db,
  peerId: string,
  limit: number,
): Promise<readonly WaitingMessage[]> {
  const rows = await db
    .selectFrom('peer_messages')
    .innerJoin('peers', 'peers.id', 'peer_messages.peer_id')
    .select(['sequence', 'kind', 'subject_id', 'content', 'sha256'])
    .where('peer_id', '=', peerId)
    .where('delivered_at', 'is', null)
    .where(sql<boolean>`kind = any (peers.other_kinds)`)
    .orderBy('sequence')
    .limit(limit)
    .execute()
  const contents = await readContents(db, rows)
  const waiting = rows.map(({ sequence, kind, sha256: known }) => {
    const content = contents.get(sequence)
    assert(content, 'every message says something')
    return { sequence, kind, content, sha256: hashOf(content), known }
  })
  for (const { sequence, kind, sha256, known } of waiting)
    if (known !== null && !known.equals(sha256))
      throw new Error(`message ${sequence}, a ${kind}, is not what was sent before`)
  const first = waiting.filter(({ known }) => known === null)
  if (first.length > 0) await noteHashes(db, peerId, first)
  return waiting
}

async function readContents(
  db: Db,
  rows: readonly QueuedMessage[],
): Promise<ReadonlyMap<number, PeerMessageContent>> {
  const read = [...Map.groupBy(rows, ({ kind }) => kind)].map(async ([kind, messages]) => {
    const reader = readers[kind]
    if (reader !== undefined) return [...(await reader(db, messages))]
    return messages.map(({ sequence, content }) => [sequence, content ?? {}] as const)
  })
  return new Map((await Promise.all(read)).flat())
}

async function noteHashes(
  db: Db,
  peerId: string,
  sent: readonly Pick<WaitingMessage, 'sequence' | 'sha256'>[],
): Promise<void> {
  const list = JSON.stringify(
    sent.map(({ sequence, sha256 }) => ({ sequence, hash: sha256.toString('hex') })),
  )
  await sql`update peer_messages set sha256 = decode(sent.hash, 'hex')
    from jsonb_to_recordset(${list}::jsonb) as sent (sequence bigint, hash text)
    where peer_id = ${peerId} and peer_messages.sequence = sent.sequence and sha256 is null`.execute(db)
}
