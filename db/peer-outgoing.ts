import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { neededFor, type PeerMessageContent, type PeerMessageKind } from '#domain/peer-message.ts'
import { withoutReferences, type SupplierDocument } from '#domain/supplier-invoice.ts'
import { hashOf, writeOnce } from './content-hash.ts'
import type { Db } from './database.ts'
import { readPeerFiles } from './peer-file.ts'
import { isUnderstood } from './peer-queue.ts'
import { readSupplierDocuments } from './supplier-document.ts'

interface QueuedMessage {
  readonly sequence: number
  readonly kind: PeerMessageKind
  readonly subject_id: string | null
  readonly content: PeerMessageContent | null
  /** Of what was sent first; null until then. */
  readonly sha256: Buffer | null
}

/** What messages of one kind say, by their numbers. */
type MessageReader = (
  db: Db,
  messages: readonly QueuedMessage[],
) => Promise<ReadonlyMap<number, PeerMessageContent>>

/** Kinds that are made of rows which never change; every other one says what was queued. */
const readers: Partial<Record<PeerMessageKind, MessageReader>> = {
  document: readDocuments,
  file: readPeerFiles,
}

async function readDocuments(db: Db, messages: readonly QueuedMessage[]) {
  const ids = messages.flatMap(({ subject_id: id }) => id ?? [])
  const documents = await readSupplierDocuments(db, ids)
  return new Map(
    messages.map(({ sequence, subject_id: id, sha256 }) => {
      const document = documents.get(id ?? '')
      assert(document, 'what waits is a document')
      return [sequence, { ...asFirstSent(document, sha256) }]
    }),
  )
}

/** What was sent by a version that said less goes out again as it was: its hash is what both sides know. */
function asFirstSent(document: SupplierDocument, known: Buffer | null): SupplierDocument {
  if (known === null) return document
  const former = withoutReferences(document)
  return hashOf(former).equals(known) ? former : document
}

export interface WaitingMessage {
  readonly sequence: number
  readonly kind: PeerMessageKind
  readonly sha256: Buffer
  readonly content: PeerMessageContent
  /** The content as the text whose hash that is. */
  readonly text: string
}

/**
 * The next messages to a peer in their order, of those that it understands: no more than may be sent at once. What is sent the first time is noted by its hash, and
 * never sent otherwise.
 * @param behind the number behind which is read: what is before it is on its way
 */
export async function readWaitingMessages(
  db: Db,
  peerId: string,
  limit: number,
  behind = 0,
): Promise<readonly WaitingMessage[]> {
  const rows = await db
    .selectFrom('peer_messages')
    .innerJoin('peers', 'peers.id', 'peer_messages.peer_id')
    .select(['sequence', 'kind', 'subject_id', 'content', 'sha256', 'other_kinds'])
    .where('peer_id', '=', peerId)
    .where('sequence', '>', behind)
    .where('delivered_at', 'is', null)
    .where(isUnderstood)
    .orderBy('sequence')
    .limit(limit)
    .execute()
  const contents = await readContents(db, withinBytes(rows, bytesOfFile))
  const read = rows.flatMap(({ sequence, kind, sha256: known }) => {
    const content = contents.get(sequence)
    return content === undefined ? [] : [{ sequence, kind, content, known, ...writeOnce(content) }]
  })
  // Read anew without them: what follows is not held up.
  if (await holdBack(db, peerId, { messages: read, understood: rows[0]?.other_kinds ?? [] }))
    return await readWaitingMessages(db, peerId, limit, behind)
  const waiting = withinBytes(read, ({ text }) => Buffer.byteLength(text))
  for (const { sequence, kind, sha256, known } of waiting)
    if (known !== null && !known.equals(sha256))
      throw new Error(`message ${sequence}, a ${kind}, is not what was sent before`)
  const first = waiting.filter(({ known }) => known === null)
  if (first.length > 0) await noteHashes(db, peerId, first)
  return waiting
}

/** A document that is too large for the other side waits until it understands such. @returns whether there was one */
async function holdBack(
  db: Db,
  peerId: string,
  of: {
    messages: readonly Pick<WaitingMessage, 'sequence' | 'kind' | 'content' | 'text'>[]
    understood: readonly string[]
  },
): Promise<boolean> {
  let isHeld = false
  for (const { sequence, kind, content, text } of of.messages) {
    if (kind !== 'document') continue
    const { lines } = content
    const size = { bytes: Buffer.byteLength(text), lines: Array.isArray(lines) ? lines.length : 0 }
    const needs = neededFor(size)
    if (needs === null || of.understood.includes(needs)) continue
    await db
      .updateTable('peer_messages')
      .set({ needs })
      .where('peer_id', '=', peerId)
      .where('sequence', '=', sequence)
      .where('delivered_at', 'is', null)
      .execute()
    isHeld = true
  }
  return isHeld
}

/** What is sent at once; one message alone may be larger. */
const greatestBytes = 6 * 1024 * 1024

/** The first of them that are not too much together. */
function withinBytes<T>(messages: readonly T[], bytesOf: (message: T) => number): T[] {
  let sum = 0
  return messages.filter((message, index) => {
    sum += bytesOf(message)
    return index === 0 || sum <= greatestBytes
  })
}

/** Of a file, before its bytes are read. */
function bytesOfFile({ content }: QueuedMessage): number {
  return Number(content?.['bytes'] ?? 0) * 1.4
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
