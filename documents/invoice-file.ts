import { createHash } from 'node:crypto'
import type { Db } from '#db/database.ts'
import { findInvoiceFile, keepInvoiceFile, type InvoiceFile } from '#db/invoice-file.ts'
import { readSupplierDocuments } from '#db/supplier-document.ts'
import { assert } from '#domain/assert.ts'
import type { InvoiceFileKind } from '#domain/invoice-file.ts'
import { renderInvoicePdf } from './invoice-pdf.ts'
import { fromInvoiceRows, readInvoiceRows } from './invoice-rows.ts'
import { toLanguage } from './language.ts'
import { toPrintedInvoice } from './printed-invoice.ts'
import { writeUblInvoice } from './ubl-invoice.ts'

/**
 * A file of a finalized document, made by the first who asks and kept for good. Of two at once both make it, and both are given the
 * one that was kept.
 * @throws `invoice_too_long` for a PDF of too many lines
 */
export async function openInvoiceFile(
  db: Db,
  invoiceId: string,
  kind: InvoiceFileKind,
): Promise<InvoiceFile> {
  const found = await findInvoiceFile(db, invoiceId, kind)
  if (found !== undefined) return found
  const { language, content } = await makers[kind](db, invoiceId)
  const sha256 = createHash('sha256').update(content).digest()
  return await keepInvoiceFile(db, invoiceId, kind, { language, sha256, content })
}

type Made = Omit<InvoiceFile, 'sha256'>

const makers: Readonly<Record<InvoiceFileKind, (db: Db, invoiceId: string) => Promise<Made>>> = {
  pdf: makePdf,
  ubl: makeUbl,
}

/** In the customer's language. */
async function makePdf(db: Db, invoiceId: string): Promise<Made> {
  const rows = await readInvoiceRows(db, invoiceId)
  const language = toLanguage(rows.invoice.buyer.language)
  const content = Buffer.from(await renderInvoicePdf(toPrintedInvoice(fromInvoiceRows(rows), language)))
  return { language, content }
}

/** Of the very document that a customer that is an installation itself is sent. */
async function makeUbl(db: Db, invoiceId: string): Promise<Made> {
  const [documents, rows] = await Promise.all([
    readSupplierDocuments(db, [invoiceId]),
    readInvoiceRows(db, invoiceId),
  ])
  const document = documents.get(invoiceId)
  assert(document, 'only finalized documents have files')
  const content = Buffer.from(
    writeUblInvoice(document, {
      corrects: rows.invoice.corrected_number,
      prepaidMinor: rows.balanceUsedMinor,
    }),
  )
  return { language: null, content }
}
