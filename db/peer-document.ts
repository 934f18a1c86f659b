import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { encodeId } from '#domain/identifier.ts'
import { peerSignals } from '#domain/peer-message.ts'
import { canonicalInvoice, type DocumentContent } from '#domain/invoice/hash.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import type { Db, Tx } from './database.ts'
import { insertWorkflowSignal } from './outbox.ts'
import { readSupplierDocuments } from './supplier-document.ts'

/**
 * Lays finalized documents where they wait to be sent, in the transaction that finalizes them: none is forgotten, none is there that
 * was rolled back. Only of customers that are installations themselves; what lives on a test clock is nobody's invoice.
 */
export async function queuePeerDocuments(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  const found = await tx
    .selectFrom('invoices')
    .innerJoin('peers', 'peers.customer_id', 'invoices.customer_id')
    .select(['invoices.id', 'peers.id as peer_id'])
    .where('invoices.id', 'in', invoiceIds)
    .where('invoices.test_clock_id', 'is', null)
    .where('peers.state', 'in', ['active', 'halted'])
    .where('peers.role', '=', 'customer')
    .execute()
  const peerIds = [...new Set(found.map((row) => row.peer_id))].toSorted()
  for (const peerId of peerIds) {
    const ids = new Set(found.filter((row) => row.peer_id === peerId).map(({ id }) => id))
    // In the order of their numbers, which is the one they came in.
    await queueOf(
      tx,
      peerId,
      invoiceIds.filter((id) => ids.has(id)),
    )
  }
}

async function queueOf(tx: Tx, peerId: string, invoiceIds: readonly string[]): Promise<void> {
  const peer = await tx
    .selectFrom('peers')
    .select(['last_sequence', 'is_awake'])
    .where('id', '=', peerId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const rows = invoiceIds.map((invoice_id, index) => ({
    peer_id: peerId,
    sequence: peer.last_sequence + 1 + index,
    invoice_id,
  }))
  await tx.insertInto('peer_documents').values(rows).execute()
  const last = peer.last_sequence + rows.length
  await tx
    .updateTable('peers')
    .set({ last_sequence: last, is_awake: true })
    .where('id', '=', peerId)
    .execute()
  if (peer.is_awake) return
  const workflowId = `peer/${encodeId('peer', peerId)}`
  await insertWorkflowSignal(tx, { workflowId, signal: peerSignals.documentsWait }, String(last))
}

export interface WaitingDocument {
  readonly sequence: number
  readonly sha256: Buffer
  readonly body: SupplierDocument
}

/** The next documents of a peer in their order; what is sent the first time is noted by its hash, and never sent otherwise. */
export async function readWaitingDocuments(
  db: Db,
  peerId: string,
  limit: number,
): Promise<WaitingDocument[]> {
  const rows = await db
    .selectFrom('peer_documents')
    .select(['sequence', 'invoice_id', 'sha256'])
    .where('peer_id', '=', peerId)
    .where('delivered_at', 'is', null)
    .orderBy('sequence')
    .limit(limit)
    .execute()
  const bodies = await readSupplierDocuments(
    db,
    rows.map((row) => row.invoice_id),
  )
  const waiting = rows.map((row) => {
    const body = bodies.get(row.invoice_id)
    assert(body, 'what waits is a document')
    return { sequence: row.sequence, body, sha256: hashOf(body), known: row.sha256 }
  })
  for (const { sequence, sha256, known } of waiting)
    if (known !== null && !known.equals(sha256))
      throw new Error(`document ${sequence} is not what was sent before`)
  const first = waiting.filter(({ known }) => known === null)
  if (first.length > 0) await noteHashes(db, peerId, first)
  return waiting.map(({ sequence, sha256, body }) => ({ sequence, sha256, body }))
}

/** SHA-256 of the one text of what a document says. */
export function hashOf(body: unknown): Buffer {
  return createHash('sha256')
    .update(canonicalInvoice(body as DocumentContent))
    .digest()
}

async function noteHashes(
  db: Db,
  peerId: string,
  sent: readonly Omit<WaitingDocument, 'body'>[],
): Promise<void> {
  const list = JSON.stringify(
    sent.map(({ sequence, sha256 }) => ({ sequence, hash: sha256.toString('hex') })),
  )
  await sql`update peer_documents set sha256 = decode(sent.hash, 'hex')
    from jsonb_to_recordset(${list}::jsonb) as sent (sequence bigint, hash text)
    where peer_id = ${peerId} and peer_documents.sequence = sent.sequence and sha256 is null`.execute(db)
}

/** What the other side has taken, it has for good. */
export async function noteDelivered(
  db: Db,
  peerId: string,
  sequences: readonly number[],
  now: string,
): Promise<void> {
  await db
    .updateTable('peer_documents')
    .set({ delivered_at: now })
    .where('peer_id', '=', peerId)
    .where('sequence', 'in', sequences)
    .where('delivered_at', 'is', null)
    .execute()
}

/** Whether nothing waits: then the peer's workflow sleeps, and is told of the next one. */
export async function fallAsleep(db: Db, peerId: string): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    await tx.selectFrom('peers').select('id').where('id', '=', peerId).forUpdate().executeTakeFirstOrThrow()
    if ((await readBacklog(tx, peerId)).waiting > 0) return false
    await tx.updateTable('peers').set({ is_awake: false }).where('id', '=', peerId).execute()
    return true
  })
}

export interface Backlog {
  readonly waiting: number
  readonly since: string | null
}

export async function readBacklog(db: Db, peerId: string): Promise<Backlog> {
  const row = await db
    .selectFrom('peer_documents')
    .select((eb) => [eb.fn.countAll<number>().as('waiting'), eb.fn.min('queued_at').as('since')])
    .where('peer_id', '=', peerId)
    .where('delivered_at', 'is', null)
    .executeTakeFirstOrThrow()
  return { waiting: row.waiting, since: row.since }
}
