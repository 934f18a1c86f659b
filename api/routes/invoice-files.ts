import { z } from '@hono/zod-openapi'
import { BusinessError } from '#domain/errors.ts'
import { fileNameOf, invoiceFileKinds, mediaTypes, type InvoiceFileKind } from '#domain/invoice-file.ts'
import { openInvoiceFile } from '#documents/invoice-file.ts'
import { getInvoice } from '#db/read/invoice.ts'
import { resolveAddress } from '../addressing.ts'
import { answerFile } from '../file-answer.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'

const described = {
  pdf: {
    summary: 'Read an invoice or credit note as a PDF',
    language: 'In the customer’s language. ',
    refusals: 'not_finalized, invoice_too_long',
  },
  ubl: {
    summary: 'Read an invoice or credit note as UBL 2.1, which machines read',
    language: 'In the terms of EN 16931. ',
    refusals: 'not_finalized',
  },
} as const

/** Made by the first who asks. Of two at once both make it, and both are given the one that was kept. */
export function registerInvoiceFiles(frame: Frame): void {
  const { db } = frame.deps
  for (const kind of invoiceFileKinds) {
    describe(frame, kind)
    frame.page(
      { method: 'get', path: `/v1/invoices/:id/${kind}`, permission: 'invoices:read' },
      async (ctx) => {
        const id = await resolveAddress(db, 'invoice', ctx.req.param('id') ?? '')
        const { number } = await getInvoice(db, id)
        if (number === null)
          throw new BusinessError(
            'not_finalized',
            `A draft has no ${kind.toUpperCase()}: its lines and its number are not fixed yet.`,
          )
        const file = await openInvoiceFile(db, id, kind)
        return answerFile(ctx, { ...file, name: fileNameOf(number, kind), mediaType: mediaTypes[kind] })
      },
    )
  }
}

function describe(frame: Frame, kind: InvoiceFileKind): void {
  const { summary, language, refusals } = described[kind]
  frame.app.openAPIRegistry.registerPath({
    method: 'get',
    path: `/v1/invoices/{id}/${kind}`,
    tags: ['Billing'],
    summary,
    description: `${language}It is made once and kept: its bytes never change, and its ETag is their SHA-256.`,
    security: [{ key: [] }],
    request: { params: idParams },
    responses: {
      200: { description: 'The file', content: { [mediaTypes[kind]]: { schema: z.string() } } },
      304: { description: 'The one of If-None-Match' },
      404: { description: 'not_found' },
      409: { description: refusals },
    },
  })
}
