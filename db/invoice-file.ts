import type { InvoiceFileKind } from '#domain/invoice-file.ts'
import type { Db } from './database.ts'

export interface InvoiceFile {
  /** In which it is printed; null for what machines read. */
  readonly language: string | null
  readonly sha256: Buffer
  readonly content: Buffer
}

/** A file of a document, once it was made. */
export async function findInvoiceFile(
  db: Db,
  invoiceId: string,
  kind: InvoiceFileKind,
): Promise<InvoiceFile | undefined> {
  return await db
    .selectFrom('invoice_files')
    .select(['language', 'sha256', 'content'])
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', kind)
    .executeTakeFirst()
}

/** Keeps a file, unless another call was faster: the first one stays for good, and is what is given back. */
export async function keepInvoiceFile(
  db: Db,
  invoiceId: string,
  kind: InvoiceFileKind,
  file: InvoiceFile,
): Promise<InvoiceFile> {
  const kept = await db
    .insertInto('invoice_files')
    .values({ invoice_id: invoiceId, kind, ...file })
    .onConflict((conflict) => conflict.columns(['invoice_id', 'kind']).doNothing())
    .returning(['language', 'sha256', 'content'])
    .executeTakeFirst()
  const first = kept ?? (await findInvoiceFile(db, invoiceId, kind))
  if (first === undefined) throw new Error(`the ${kind} of invoice ${invoiceId} was neither kept nor found`)
  return first
}
