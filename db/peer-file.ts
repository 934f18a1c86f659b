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

/** Lays down the files of documents, each document's once, in the order of the documents. */
export async function queuePeerFiles(
  db: Db,
  peerId: string,
  laidOut: readonly {
    readonly document: FilelessDocument
    readonly files: readonly Omit<SupplierFile, 'data'>[]
  }[],
): Promise<void> {
  const last = laidOut.at(-1)
  if (last === undefined) return
  await db.transaction().execute(async (tx) => {
    const { files_sequence: before } = await tx
      .selectFrom('peers')
      .select('files_sequence')
      .where('id', '=', peerId)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow()
    const fresh = laidOut.filter(({ document }) => document.sequence > before)
    if (fresh.length === 0) return
    await tx
      .updateTable('peers')
      .set({ files_sequence: last.document.sequence })
      .where('id', '=', peerId)
      .execute()
    await queuePeerMessages(
      tx,
      peerId,
      fresh.flatMap(({ document, files }) =>
        files.map((file) => ({ kind: 'file' as const, subjectId: document.invoiceId, content: { ...file } })),
      ),
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
