import { encodeId } from '#domain/identifier.ts'
import type { Db } from '../database.ts'

const documentsPerPage = 50

/** What a supplier has sent last, newest first, as it is told it: those received before one of them, or the newest. */
export async function listNewestReceived(
  db: Db,
  { peerId, before }: { peerId: string; before: string | null },
) {
  let query = db
    .selectFrom('supplier_invoices')
    .select(['id', 'document_id', 'number', 'kind', 'issued_on', 'sha256'])
    .where('peer_id', '=', peerId)
    .orderBy('id', 'desc')
    .limit(documentsPerPage)
  if (before !== null) query = query.where('id', '<', before)
  const rows = await query.execute()
  const last = rows.length === documentsPerPage ? rows.at(-1) : undefined
  return {
    documents: rows.map((row) => ({
      document: encodeId('invoice', row.document_id),
      kind: row.kind,
      number: row.number,
      issued_on: row.issued_on,
      sha256: row.sha256.toString('hex'),
    })),
    next: last === undefined ? null : encodeId('supplierInvoice', last.id),
  }
}

/** One document of a supplier, all of it as it came. */
export async function findReceivedDocument(db: Db, of: { peerId: string; documentId: string }) {
  const row = await db
    .selectFrom('supplier_invoices')
    .select(['content', 'sha256', 'received_at'])
    .where('peer_id', '=', of.peerId)
    .where('document_id', '=', of.documentId)
    .executeTakeFirst()
  if (row === undefined) return null
  return { content: row.content, sha256: row.sha256.toString('hex'), received_at: row.received_at }
}
