import type { Db } from './database.ts'

export interface InvoiceFile {
  readonly language: string
  readonly sha256: Buffer
  readonly content: Buffer
}

/** The PDF of a document, once it was made. */
export async function findInvoiceFile(db: Db, invoiceId: string): Promise<InvoiceFile | undefined> {
  return await db
    .selectFrom('invoice_files')
    .select(['language', 'sha256', 'content'])
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', 'pdf')
    .executeTakeFirst()
}

/** Keeps the PDF, unless another call was faster: the first one stays for good, and is what is given back. */
export async function keepInvoiceFile(db: Db, invoiceId: string, file: InvoiceFile): Promise<InvoiceFile> {
  const kept = await db
    .insertInto('invoice_files')
    .values({ invoice_id: invoiceId, kind: 'pdf', ...file })
    .onConflict((conflict) => conflict.columns(['invoice_id', 'kind']).doNothing())
    .returning(['language', 'sha256', 'content'])
    .executeTakeFirst()
  return kept ?? (await findFirstFile(db, invoiceId))
}

async function findFirstFile(db: Db, invoiceId: string): Promise<InvoiceFile> {
  const file = await findInvoiceFile(db, invoiceId)
  if (file === undefined) throw new Error(`the PDF of invoice ${invoiceId} was neither kept nor found`)
  return file
}
