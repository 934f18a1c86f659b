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
 * Keeps a file of a supplier's document, once by document and media type, or why there is none. Nothing looks into it here.
 * @throws `field_invalid` where it is not what its hash says
 */
export async function receiveSupplierFile(
  tx: Tx,
  { peerId, file, now }: { peerId: string; file: SupplierFile; now: string },
): Promise<Reception> {
  const content = file.data === null ? null : Buffer.from(file.data, 'base64')
  const sha256 = content === null ? null : createHash('sha256').update(content).digest()
  if ((sha256?.toString('hex') ?? null) !== file.sha256)
    throw fieldError('/sha256', 'field_invalid', `${file.name} is not what its hash says.`)
  const documentId = decodeId('invoice', file.document)
  const kept = await tx
    .insertInto('supplier_files')
    .values({
      peer_id: peerId,
      document_id: documentId,
      media_type: file.media_type,
      name: file.name,
      sha256,
      content,
      missing_reason: file.missing,
      received_at: now,
    })
    .onConflict((conflict) => conflict.columns(['peer_id', 'document_id', 'media_type']).doNothing())
    .executeTakeFirst()
  if ((kept.numInsertedOrUpdatedRows ?? 0n) > 0n) return 'stored'
  const { sha256: known } = await tx
    .selectFrom('supplier_files')
    .select('sha256')
    .where('peer_id', '=', peerId)
    .where('document_id', '=', documentId)
    .where('media_type', '=', file.media_type)
    .executeTakeFirstOrThrow()
  return (known?.toString('hex') ?? null) === file.sha256 ? 'exists' : 'conflict'
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
