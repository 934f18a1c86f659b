import type { Db } from '#db/database.ts'
import { listFilelessDocuments, queuePeerFiles } from '#db/peer-file.ts'
import { openInvoiceFile } from '#documents/invoice-file.ts'
import { encodeId } from '#domain/identifier.ts'
import { BusinessError } from '#domain/errors.ts'
import {
  fileNameOf,
  invoiceFileKinds,
  largestSentFileBytes,
  mediaTypes,
  type InvoiceFileKind,
  type SupplierFile,
} from '#domain/invoice-file.ts'

/** A few, so that a document that is finalized meanwhile does not wait for many. */
const documentsAtOnce = 20

/**
 * Makes the files of documents that a peer is sent, and lays them down to be sent as messages of their own: no document waits for
 * its PDF. The rows of one are read while another is pressed.
 * @returns of how many documents
 */
export async function layOutFiles(db: Db, peerId: string): Promise<number> {
  const documents = await listFilelessDocuments(db, peerId, documentsAtOnce)
  const laidOut = await Promise.all(
    documents.map(async (document) => ({
      document,
      files: await Promise.all(invoiceFileKinds.map(async (kind) => describeFile(db, document, kind))),
    })),
  )
  await queuePeerFiles(db, peerId, laidOut)
  return documents.length
}

/** What cannot be made of such a document, or is too much for one message, is said to be missing, and why. */
async function describeFile(
  db: Db,
  { invoiceId, number }: { invoiceId: string; number: string },
  kind: InvoiceFileKind,
): Promise<Omit<SupplierFile, 'data'>> {
  const head = {
    document: encodeId('invoice', invoiceId),
    media_type: mediaTypes[kind],
    name: fileNameOf(number, kind),
  }
  const none = (missing: string) => ({ ...head, sha256: null, bytes: 0, missing: missing.slice(0, 300) })
  try {
    const { sha256, content } = await openInvoiceFile(db, invoiceId, kind)
    if (content.length > largestSentFileBytes)
      return none(`It has ${content.length} bytes; no more than ${largestSentFileBytes} are sent.`)
    return { ...head, sha256: sha256.toString('hex'), bytes: content.length, missing: null }
  } catch (error) {
    if (error instanceof BusinessError) return none(error.message)
    throw error
  }
}
