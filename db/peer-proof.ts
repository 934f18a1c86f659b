import { createHash } from 'node:crypto'
import { encodeId } from '#domain/identifier.ts'
import { byMonth, digestText, type KnownDocument, type MonthDigest } from '#domain/proof.ts'
import type { Db } from './database.ts'
import { hashOf } from './content-hash.ts'
import { readSupplierDocuments } from './supplier-document.ts'

export interface DateRange {
  /** The first day on which they were issued. */
  readonly from: string
  /** The day after the last. */
  readonly to: string
}

/**
 * The documents between this installation and a peer that were issued in a range, as this side has them: sent or to be sent to who is
 * billed, received from who bills. By the supplier's id, with the hash of what went over.
 */
export async function listKnownDocuments(db: Db, peerId: string, range: DateRange): Promise<KnownDocument[]> {
  const { role } = await db
    .selectFrom('peers')
    .select('role')
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  return role === 'customer'
    ? await listSentDocuments(db, peerId, range)
    : await listReceivedDocuments(db, peerId, range)
}

async function listSentDocuments(db: Db, peerId: string, { from, to }: DateRange): Promise<KnownDocument[]> {
  const rows = await db
    .selectFrom('peer_messages as sent')
    .innerJoin('invoices as invoice', 'invoice.id', 'sent.subject_id')
    .select(['invoice.id', 'invoice.number', 'invoice.issued_on', 'sent.sha256', 'sent.delivered_at'])
    .where('sent.peer_id', '=', peerId)
    .where('sent.kind', '=', 'document')
    .where('invoice.issued_on', '>=', from)
    .where('invoice.issued_on', '<', to)
    .execute()
  const lost = await db
    .selectFrom('lost_documents')
    .select(['document_id', 'number', 'issued_on', 'sha256'])
    .where('peer_id', '=', peerId)
    .where('settlement', '=', 'kept')
    .where('issued_on', '>=', from)
    .where('issued_on', '<', to)
    .execute()
  // What was never sent has no hash yet; it is what will be sent.
  const unsent = rows.flatMap(({ id, sha256 }) => (sha256 === null ? [id] : []))
  const bodies = await readSupplierDocuments(db, unsent)
  const sent = rows.map((row) => ({
    document: encodeId('invoice', row.id),
    number: row.number ?? '',
    issuedOn: row.issued_on,
    sha256: (row.sha256 ?? hashOf(bodies.get(row.id))).toString('hex'),
    isWaiting: row.delivered_at === null,
  }))
  return [...sent, ...lost.map(toKnown)]
}

function toKnown(row: {
  document_id: string
  number: string
  issued_on: string
  sha256: Buffer
}): KnownDocument {
  return {
    document: encodeId('invoice', row.document_id),
    number: row.number,
    issuedOn: row.issued_on,
    sha256: row.sha256.toString('hex'),
    isWaiting: false,
  }
}

async function listReceivedDocuments(
  db: Db,
  peerId: string,
  { from, to }: DateRange,
): Promise<KnownDocument[]> {
  const rows = await db
    .selectFrom('supplier_invoices')
    .select(['document_id', 'number', 'issued_on', 'sha256'])
    .where('peer_id', '=', peerId)
    .where('issued_on', '>=', from)
    .where('issued_on', '<', to)
    .execute()
  return rows.map(toKnown)
}

/** What they come to, month by month. */
export function digestMonths(documents: readonly KnownDocument[]): MonthDigest[] {
  return [...byMonth(documents)].map(([month, ofMonth]) => ({
    month,
    documents: ofMonth.length,
    root: createHash('sha256').update(digestText(ofMonth)).digest('hex'),
  }))
}
