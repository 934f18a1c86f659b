import type { PeerMessageContent } from '#domain/peer-message.ts'
import { assert } from '#domain/assert.ts'
import { mediaTypes, type InvoiceFileKind, type SupplierFile } from '#domain/invoice-file.ts'
import type { Db } from './database.ts'
import { filelessDocuments, queuePeerMessages } from './peer-queue.ts'

export interface FilelessDocument {
  readonly sequence: number
  readonly invoiceId: string
  readonly number: string
}

/** The next documents that a peer was sent whose files were not laid down yet, in their order; none of a peer that takes no files. */
export async function listFilelessDocuments(
  db: Db,
  peerId: string,
  limit: number,
): Promise<FilelessDocument[]> {
  const rows = await filelessDocuments(db, peerId)
    .innerJoin('invoices', 'invoices.id', 'message.subject_id')
    .select(['invoices.id', 'invoices.number'])
    .orderBy('message.sequence')
    .limit(limit)
    .execute()
  return rows.map(({ sequence, id, number }) => ({ sequence, invoiceId: id, number: number ?? '' }))
}

/** Lays down the files of one document, once. */
export async function queuePeerFiles(
  db: Db,
  peerId: string,
  { sequence, invoiceId }: FilelessDocument,
  files: readonly Omit<SupplierFile, 'data'>[],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const taken = await tx
      .updateTable('peers')
      .set({ files_sequence: sequence })
      .where('id', '=', peerId)
      .where('files_sequence', '<', sequence)
      .executeTakeFirst()
    if (taken.numUpdatedRows === 0n) return
    await queuePeerMessages(
      tx,
      peerId,
      files.map((file) => ({ kind: 'file', subjectId: invoiceId, content: { ...file } })),
    )
  })
}

const kindOf: Readonly<Record<string, InvoiceFileKind>> = { [mediaTypes.pdf]: 'pdf', [mediaTypes.ubl]: 'ubl' }

/** Files with their bytes, which are kept where everybody reads them and not a second time in the queue. */
export async function readPeerFiles(
  db: Db,
  messages: readonly { sequence: number; subject_id: string | null; content: PeerMessageContent | null }[],
): Promise<ReadonlyMap<number, PeerMessageContent>> {
  const rows = await db
    .selectFrom('invoice_files')
    .select(['invoice_id', 'kind', 'content'])
    .where(
      'invoice_id',
      'in',
      messages.flatMap(({ subject_id: id }) => id ?? []),
    )
    .execute()
  const bytesOf = new Map(rows.map((row) => [`${row.invoice_id} ${row.kind}`, row.content]))
  return new Map<number, PeerMessageContent>(
    messages.map(({ sequence, subject_id: id, content }) => {
      if (content === null || content['sha256'] === null) return [sequence, { ...content, data: null }]
      const bytes = bytesOf.get(`${id} ${kindOf[String(content['media_type'])]}`)
      assert(bytes, 'a file that waits was kept')
      return [sequence, { ...content, data: bytes.toString('base64') }]
    }),
  )
}
