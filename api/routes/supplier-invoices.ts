import { z } from '@hono/zod-openapi'
import { getSupplierInvoice, listSupplierInvoices } from '#db/read/supplier-invoice.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  supplierInvoiceDetailSchema,
  supplierInvoiceSchema,
  toSupplierInvoiceJson,
} from '../schemas/supplier-invoice.ts'

/** What other installations have billed this one: received, never written by hand. */
export function registerSupplierInvoices(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-invoices',
      permission: 'supplier_invoices:read',
      tag: 'Peers',
      summary: 'List what suppliers have billed',
      query: z.strictObject({ ...pageQuery, peer: addressField.optional() }),
      result: pageOf(supplierInvoiceSchema),
      refusals: ['peer_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const peerId =
        query.peer === undefined
          ? null
          : await resolveField(db, {
              kind: 'peer',
              text: query.peer,
              pointer: '?peer',
              unknown: 'peer_unknown',
            })
      return toPage(await listSupplierInvoices(db, { ...page, peerId }), page, toSupplierInvoiceJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-invoices/{id}',
      permission: 'supplier_invoices:read',
      tag: 'Peers',
      summary: 'Read a supplier invoice with all that it says',
      params: idParams,
      result: supplierInvoiceDetailSchema,
    },
    async ({ db, params }) => {
      const row = await getSupplierInvoice(db, await resolveAddress(db, 'supplierInvoice', params.id))
      return { ...toSupplierInvoiceJson(row), content: row.content }
    },
  )
}
