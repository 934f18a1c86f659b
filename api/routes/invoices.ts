import { z } from '@hono/zod-openapi'
import { listInvoices } from '#db/read/invoice.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import { readInvoiceRows } from '../documents/invoice-rows.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  invoiceDetailSchema,
  invoiceSchema,
  toInvoiceJson,
  toInvoiceLineJson,
  toInvoiceTaxJson,
} from '../schemas/invoice.ts'
import { findSubscriptionFilter } from './builds.ts'
import { findCustomerFilter } from './documents.ts'

export function registerInvoices(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/invoices',
      permission: 'invoices:read',
      tag: 'Billing',
      summary: 'List invoices and credit notes',
      query: z.strictObject({
        ...pageQuery,
        customer: addressField.optional(),
        subscription: addressField.optional(),
        document: addressField.optional(),
      }),
      result: pageOf(invoiceSchema),
      refusals: ['customer_unknown', 'id_kind_mismatch', 'not_found', 'subscription_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const document = { kind: 'document', pointer: '?document', unknown: 'not_found' } as const
      const filter = {
        customerId: await findCustomerFilter(db, query.customer),
        subscriptionId: await findSubscriptionFilter(db, query.subscription),
        documentId:
          query.document === undefined ? null : await resolveField(db, { ...document, text: query.document }),
      }
      return toPage(await listInvoices(db, { ...page, ...filter }), page, toInvoiceJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/invoices/{id}',
      permission: 'invoices:read',
      tag: 'Billing',
      summary: 'Read an invoice with its lines',
      params: idParams,
      result: invoiceDetailSchema,
    },
    async ({ db, params }) => {
      const id = await resolveAddress(db, 'invoice', params.id)
      const { invoice, lines, taxes, balanceUsedMinor } = await readInvoiceRows(db, id)
      const { currency } = invoice
      return {
        ...toInvoiceJson(invoice),
        seller: { ...invoice.seller },
        buyer: { ...invoice.buyer },
        lines: lines.map((line) => toInvoiceLineJson(line, currency)),
        taxes: taxes.map((tax) => toInvoiceTaxJson(tax, currency)),
        balance_used: { amount_minor: balanceUsedMinor, currency },
      }
    },
  )
}
