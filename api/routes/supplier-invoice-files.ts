import { z } from '@hono/zod-openapi'
import { findSupplierFile } from '#db/supplier-file.ts'
import { BusinessError } from '#domain/errors.ts'
import { invoiceFileKinds, mediaTypes } from '#domain/invoice-file.ts'
import { resolveAddress } from '../addressing.ts'
import { answerFile } from '../file-answer.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { parseAddress } from '../validation.ts'

const kindField = z.enum(invoiceFileKinds)

/** The files of supplier invoices, as they came: whatever is in them, a browser saves them and shows nothing of them. */
export function registerSupplierInvoiceFiles(frame: Frame): void {
  const { db } = frame.deps
  describe(frame)
  frame.page(
    { method: 'get', path: '/v1/supplier-invoices/:id/files/:kind', permission: 'supplier_invoices:read' },
    async (ctx) => {
      const id = await resolveAddress(db, 'supplierInvoice', ctx.req.param('id') ?? '')
      const mediaType = mediaTypes[parseAddress(kindField, ctx.req.param('kind'))]
      const file = await findSupplierFile(db, id, mediaType)
      if (file === undefined || file.content === null || file.sha256 === null)
        throw new BusinessError(
          'not_found',
          file?.missing_reason ?? 'This file has not come: files follow their document.',
        )
      return answerFile(ctx, { sha256: file.sha256, content: file.content, name: file.name, mediaType })
    },
  )
}

function describe(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/supplier-invoices/{id}/files/{kind}',
    tags: ['Peers'],
    summary: 'Read a file of a supplier invoice, as it came',
    description: 'pdf: what people read. ubl: what machines read, UBL 2.1. Its ETag is its SHA-256.',
    security: [{ key: [] }],
    request: { params: idParams.extend({ kind: kindField }) },
    responses: {
      200: {
        description: 'The file',
        content: Object.fromEntries(Object.values(mediaTypes).map((type) => [type, { schema: z.string() }])),
      },
      304: { description: 'The one of If-None-Match' },
      404: { description: 'not_found' },
    },
  })
}
