import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { findSuppliedUsage, getSuppliedUsage } from '#db/read/peer-question.ts'
import { getSupplierInvoice } from '#db/read/supplier-invoice.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { putQuestion } from '../peer-asking.ts'
import { idParams } from '../schemas/common.ts'
import { suppliedUsageQuery, suppliedUsageSchema, toSuppliedUsageJson } from '../schemas/peer-question.ts'

/** What a billed line of a supplier is made of: asked of the supplier, kept, and passed on as it came. */
export function registerSuppliedUsage(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-invoices/{id}/usage',
      permission: 'supplier_invoices:read',
      tag: 'Peers',
      summary: 'Open the usage behind a line of a supplier invoice, as the supplier says it',
      description:
        'The supplier is asked once; what it said is kept with its signature, and can be passed on. Of a day: its readings and events.',
      params: idParams,
      query: suppliedUsageQuery,
      result: suppliedUsageSchema,
      refusals: ['action_not_allowed', 'peer_refuses', 'peer_unreachable', 'peer_signature_refused'],
    },
    async ({ db, params, query, principal, now }) => {
      const id = await resolveAddress(db, 'supplierInvoice', params.id)
      const { line, on = null } = query
      return await openSuppliedUsage(frame, db, { id, line, on, by: principal.name, now })
    },
  )
}

/** @throws what `putQuestion` throws */
export async function openSuppliedUsage(
  { deps }: Pick<Frame, 'deps'>,
  db: Db,
  asked: { id: string; line: number; on: string | null; by: string; now: string },
): Promise<z.input<typeof suppliedUsageSchema>> {
  const { id: supplierInvoiceId, line, on } = asked
  const known = await findSuppliedUsage(db, { supplierInvoiceId, line, on })
  if (known !== null) return toSuppliedUsageJson(known)
  const { peer_id: peerId, document_id: documentId } = await getSupplierInvoice(db, supplierInvoiceId)
  if (peerId === null)
    throw new BusinessError('action_not_allowed', 'This supplier is no peer: there is nobody to ask.')
  const questionId = await putQuestion(deps, {
    peerId,
    key: newId(),
    kind: 'usage',
    supplierInvoiceId,
    question: { document: encodeId('invoice', documentId), line, on },
    askedBy: asked.by,
    now: asked.now,
  })
  return toSuppliedUsageJson(await getSuppliedUsage(db, questionId))
}
