import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { forceNextInvoice } from '#db/forced-invoice.ts'
import { moveDocumentAnchor } from '#db/moved-anchor.ts'
import { getDocument, listBilledPeriods, listDocumentLines, listDocuments } from '#db/read/document.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  documentDetailSchema,
  documentSchema,
  forceNextInvoiceSchema,
  moveAnchorSchema,
  toBilledPeriodJson,
  toDocumentJson,
} from '../schemas/document.ts'
import { toSubscriptionLineJson } from '../schemas/subscription.ts'

export function registerDocuments(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/documents',
      permission: 'documents:read',
      tag: 'Billing',
      summary: 'List subscription documents',
      query: z.strictObject({ ...pageQuery, customer: addressField.optional() }),
      result: pageOf(documentSchema),
      refusals: ['customer_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const customerId = await findCustomerFilter(db, query.customer)
      return toPage(await listDocuments(db, { ...page, customerId }), page, toDocumentJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/documents/{id}',
      permission: 'documents:read',
      tag: 'Billing',
      summary: 'Read a subscription document with its lines and billed periods',
      params: idParams,
      result: documentDetailSchema,
    },
    async ({ db, params }) => await readDocumentDetail(db, await resolveAddress(db, 'document', params.id)),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/documents/{id}/move-anchor',
      permission: 'documents:write',
      tag: 'Billing',
      summary: 'Bill a document in another rhythm from its next period on',
      params: idParams,
      body: moveAnchorSchema,
      result: documentDetailSchema,
      refusals: ['action_not_allowed', 'date_range_invalid'],
    },
    async (call) => {
      const id = await resolveAddress(call.db, 'document', call.params.id)
      const { first_full_period_on: firstFullOn } = call.body
      await moveDocumentAnchor(call.transaction(), id, { firstFullOn, actor: call.principal.name })
      return await readDocumentDetail(call.db, id)
    },
  )
  registerForcedInvoice(frame)
}

function registerForcedInvoice(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/documents/{id}/force-next-invoice',
      permission: 'documents:write',
      tag: 'Billing',
      summary: 'Move the next invoice of a document to a later period',
      params: idParams,
      body: forceNextInvoiceSchema,
      result: documentDetailSchema,
      refusals: ['action_not_allowed', 'date_range_invalid'],
    },
    async (call) => {
      const id = await resolveAddress(call.db, 'document', call.params.id)
      const { next_invoice_on: nextInvoiceOn } = call.body
      await forceNextInvoice(call.transaction(), id, { nextInvoiceOn, actor: call.principal.name })
      return await readDocumentDetail(call.db, id)
    },
  )
}

async function readDocumentDetail(db: Db, id: string): Promise<z.input<typeof documentDetailSchema>> {
  const [row, lines, periods] = await Promise.all([
    getDocument(db, id),
    listDocumentLines(db, id),
    listBilledPeriods(db, id),
  ])
  return {
    ...toDocumentJson(row),
    lines: lines.map((line) => ({
      ...toSubscriptionLineJson(line),
      subscription: encodeId('subscription', line.subscription_id),
    })),
    periods: periods.map(toBilledPeriodJson),
  }
}

/** The customer that a list is narrowed to. @throws `customer_unknown` */
export async function findCustomerFilter(db: Db, text: string | undefined): Promise<string | null> {
  if (text === undefined) return null
  const field = { kind: 'customer', text, pointer: '?customer', unknown: 'customer_unknown' } as const
  return await resolveField(db, field)
}
