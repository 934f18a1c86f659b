import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { fieldError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { InvoiceMediaType, SupplierFile } from '#domain/invoice-file.ts'
import type { Db, Tx } from './database.ts'
import type { Reception } from './supplier-invoice.ts'

/** What an upload is called; the number of a document may be no name for a file. */
export const uploadName = 'supplier-invoice.xml'

/**
 * Keeps files of a supplier's documents, each once by document and media type, or why there is none: one statement, whatever their
 * number. Nothing looks into them here. The peer is locked: its messages are taken one after the other.
 * @returns what became of each, in their order, up to the first conflict
 * @throws `field_invalid` where one is not what its hash says
 */
export async function receiveSupplierFiles(
  tx: Tx,
  { peerId, files, now }: { peerId: string; files: readonly SupplierFile[]; now: string },
): Promise<Reception[]> {
  const rows = files.map((file) => toRow(file, { peerId, now }))
  const known = await findHashes(tx, peerId, rows)
  const receptions: Reception[] = []
  const fresh: ReturnType<typeof toRow>[] = []
  for (const row of rows) {
    const hash = row.sha256?.toString('hex') ?? null
    const before = known.get(keyOf(row))
    if (before === undefined) fresh.push(row)
    known.set(keyOf(row), before ?? { hash })
    receptions.push(before === undefined ? 'stored' : before.hash === hash ? 'exists' : 'conflict')
    if (receptions.at(-1) === 'conflict') break
  }
  if (fresh.length > 0) await tx.insertInto('supplier_files').values(fresh).execute()
  return receptions
}

function toRow(file: SupplierFile, { peerId, now }: { peerId: string; now: string }) {
  const content = file.data === null ? null : Buffer.from(file.data, 'base64')
  const sha256 = content === null ? null : createHash('sha256').update(content).digest()
  if ((sha256?.toString('hex') ?? null) !== file.sha256)
    throw fieldError('/sha256', 'field_invalid', `${file.name} is not what its hash says.`)
  return {
    peer_id: peerId,
    document_id: decodeId('invoice', file.document),
    media_type: file.media_type,
    name: file.name,
    sha256,
    content,
    missing_reason: file.missing,
    received_at: now,
  }
}

const keyOf = (row: { document_id: string; media_type: string }) => `${row.document_id} ${row.media_type}`

/** Of those that are kept, by document and media type; a hash is null where the supplier has said that there is none. */
async function findHashes(
  tx: Tx,
  peerId: string,
  rows: readonly { readonly document_id: string }[],
): Promise<Map<string, { readonly hash: string | null }>> {
  const ids = rows.map((row) => row.document_id)
  const kept = await tx
    .selectFrom('supplier_files')
    .select(['document_id', 'media_type', 'sha256'])
    .where('peer_id', '=', peerId)
    .where(sql<boolean>`document_id = any(${ids})`)
    .execute()
  return new Map(kept.map((row) => [keyOf(row), { hash: row.sha256?.toString('hex') ?? null }]))
}

/** A file of a supplier invoice as it came; undefined where none has, or the supplier has none. */
export async function findSupplierFile(db: Db, supplierInvoiceId: string, mediaType: InvoiceMediaType) {
  return (
    (await findSentFile(db, supplierInvoiceId, mediaType)) ??
    (await findUpload(db, supplierInvoiceId, mediaType))
  )
}

/** What a document that was recorded here was read from. */
async function findUpload(db: Db, supplierInvoiceId: string, mediaType: InvoiceMediaType) {
  const row = await db
    .selectFrom('supplier_uploads')
    .select(['sha256', 'content'])
    .where('supplier_invoice_id', '=', supplierInvoiceId)
    .where('media_type', '=', sql<'application/xml'>`${mediaType}`)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, name: uploadName, missing_reason: null }
}

async function findSentFile(db: Db, supplierInvoiceId: string, mediaType: InvoiceMediaType) {
  return await db
    .selectFrom('supplier_files as file')
    .innerJoin('supplier_invoices as invoice', (join) =>
      join
        .onRef('invoice.peer_id', '=', 'file.peer_id')
        .onRef('invoice.document_id', '=', 'file.document_id'),
    )
    .select(['file.name', 'file.sha256', 'file.content', 'file.missing_reason'])
    .where('invoice.id', '=', supplierInvoiceId)
    .where('file.media_type', '=', mediaType)
    .executeTakeFirst()
}
