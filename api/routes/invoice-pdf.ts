import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { findInvoiceFile, keepInvoiceFile, type InvoiceFile } from '#db/invoice-file.ts'
import { BusinessError } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import { renderInvoicePdf } from '#documents/invoice-pdf.ts'
import { fromInvoiceRows, readInvoiceRows, type InvoiceRows } from '#documents/invoice-rows.ts'
import { toLanguage } from '#documents/language.ts'
import { toPrintedInvoice } from '#documents/printed-invoice.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'

export function registerInvoicePdf(frame: Frame): void {
  const { db } = frame.deps
  describe(frame)
  frame.page({ method: 'get', path: '/v1/invoices/:id/pdf', permission: 'invoices:read' }, async (ctx) => {
    const id = await resolveAddress(db, 'invoice', ctx.req.param('id') ?? '')
    const rows = await readInvoiceRows(db, id)
    const { number } = rows.invoice
    if (number === null) {
      throw new BusinessError(
        'not_finalized',
        'A draft has no PDF: its lines and its number are not fixed yet.',
      )
    }
    const file = (await findInvoiceFile(db, id)) ?? (await makeInvoiceFile(db, rows))
    return answerFile(ctx, file, `${number.replaceAll(/[^\w.-]/g, '-')}.pdf`)
  })
}

function describe(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/invoices/{id}/pdf',
    tags: ['Billing'],
    summary: 'Read an invoice or credit note as a PDF',
    description:
      'In the customer’s language. It is made once and kept: its bytes never change, and its ETag is their SHA-256.',
    security: [{ key: [] }],
    request: { params: idParams },
    responses: {
      200: { description: 'The PDF', content: { 'application/pdf': { schema: z.string() } } },
      304: { description: 'The one of If-None-Match' },
      404: { description: 'not_found' },
      409: { description: 'not_finalized, invoice_too_long' },
    },
  })
}

/** Made by the first who asks. Of two at once both make it, and both are given the one that was kept. */
async function makeInvoiceFile(db: Db, rows: InvoiceRows): Promise<InvoiceFile> {
  const language = toLanguage(rows.invoice.buyer.language)
  const content = Buffer.from(await renderInvoicePdf(toPrintedInvoice(fromInvoiceRows(rows), language)))
  const sha256 = createHash('sha256').update(content).digest()
  return await keepInvoiceFile(db, rows.invoice.id, { language, sha256, content })
}

function answerFile(ctx: ApiContext, file: InvoiceFile, name: string): Response {
  const etag = `"${file.sha256.toString('hex')}"`
  ctx.header('ETag', etag)
  ctx.header('Cache-Control', 'private, no-cache')
  if (ctx.req.header('if-none-match') === etag) return ctx.body(null, 304)
  ctx.header('Content-Type', 'application/pdf')
  ctx.header('Content-Disposition', `attachment; filename="${name}"`)
  return ctx.body(new Uint8Array(file.content))
}
