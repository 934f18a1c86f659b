import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { listAllocations, listCreditNotes, listInvoiceMarks, listInvoices } from '#db/read/invoice.ts'
import { moneyStates } from '#domain/invoice/balance.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import { readInvoiceRows } from '#documents/invoice-rows.ts'
import type { Frame } from '../frame.ts'
import { snakeKeys } from '../key-case.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  invoiceDetailSchema,
  invoiceSchema,
  toAllocationJson,
  toCreditNoteJson,
  toInvoiceJson,
  toInvoiceLineJson,
  toInvoiceTaxJson,
  toMarkJson,
  toStatedTaxJson,
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
        money_state: z.enum(moneyStates).optional(),
        status: z.enum(['draft', 'finalized']).optional(),
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
        moneyState: query.money_state ?? null,
        isDraft: query.status === undefined ? null : query.status === 'draft',
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
    async ({ db, params }) => await readInvoiceDetail(db, await resolveAddress(db, 'invoice', params.id)),
  )
}

export async function readInvoiceDetail(db: Db, id: string): Promise<z.input<typeof invoiceDetailSchema>> {
  const { invoice, lines, taxes, balanceUsedMinor } = await readInvoiceRows(db, id)
  const { currency } = invoice
  const allocations = await listAllocations(db, id)
  const notes = await listCreditNotes(db, id)
  const marks = await listInvoiceMarks(db, id)
  return {
    ...toInvoiceJson(invoice),
    seller: toPartyJson(invoice.seller),
    buyer: toPartyJson(invoice.buyer),
    lines: lines.map((line) => toInvoiceLineJson(line, currency)),
    taxes: taxes.map((tax) => toInvoiceTaxJson(tax, currency)),
    tax_in_seller_currency: invoice.stated_tax && toStatedTaxJson(invoice.stated_tax),
    balance_used: { amount_minor: balanceUsedMinor, currency },
    allocations: allocations.map((allocation) => toAllocationJson(allocation, currency)),
    credit_notes: notes.map((note) => toCreditNoteJson(note, currency)),
    marks: marks.map(toMarkJson),
  }
}

/** A party as it was when the document was finalized, with its fields as the API writes them. */
function toPartyJson(party: object): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(snakeKeys(party))
}
