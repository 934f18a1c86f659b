import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { answerDispute, raiseDispute, withdrawDispute } from '#db/dispute.ts'
import type { By } from '#db/peer.ts'
import { getDispute, listDisputes } from '#db/read/dispute.ts'
import { disputeStates } from '#domain/dispute.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { disputeAnswerSchema, disputeSchema, newDisputeSchema, toDisputeJson } from '../schemas/dispute.ts'

/** What we say against documents of suppliers that are peers, and what customers that are peers say against ours. */
export function registerDisputes(frame: Frame): void {
  registerReading(frame)
  registerOfCustomer(frame)
  registerAnswer(frame)
}

function registerReading(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/disputes',
      permission: 'disputes:read',
      tag: 'Peers',
      summary: 'List disputes with other installations',
      query: z.strictObject({
        ...pageQuery,
        state: z.enum(disputeStates).optional(),
        raised: z
          .enum(['here', 'there'])
          .optional()
          .openapi({ description: 'there: by customers, of what we billed; those we answer.' }),
      }),
      result: pageOf(disputeSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const isRaisedHere = query.raised === undefined ? null : query.raised === 'here'
      const rows = await listDisputes(db, { ...page, state: query.state ?? null, isRaisedHere })
      return toPage(rows, page, toDisputeJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/disputes/{id}',
      permission: 'disputes:read',
      tag: 'Peers',
      summary: 'Read a dispute',
      params: idParams,
      result: disputeSchema,
    },
    async ({ db, params }) =>
      toDisputeJson(await getDispute(db, await resolveAddress(db, 'dispute', params.id))),
  )
}

function registerOfCustomer(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-invoices/{id}/disputes',
      permission: 'disputes:write',
      tag: 'Suppliers',
      summary: 'Say to its supplier that a supplier invoice is wrong',
      description: 'The supplier’s installation has a task until it is answered. What is owed stays owed.',
      params: idParams,
      body: newDisputeSchema,
      result: disputeSchema,
      status: 201,
      location: (dispute) => `/v1/disputes/${dispute.id}`,
      refusals: ['dispute_open', 'dispute_unreachable'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const id = await raiseDisputeOf(tx, params.id, body, { actor: principal.name, now })
      return toDisputeJson(await getDispute(tx, id))
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/disputes/{id}/withdraw',
      permission: 'disputes:write',
      tag: 'Suppliers',
      summary: 'Withdraw a dispute that was raised here',
      params: idParams,
      result: disputeSchema,
      refusals: ['dispute_closed', 'dispute_not_ours'],
    },
    async ({ transaction, params, principal, now }) => {
      const tx = transaction()
      const id = await withdrawDisputeOf(tx, params.id, { actor: principal.name, now })
      return toDisputeJson(await getDispute(tx, id))
    },
  )
}

function registerAnswer(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/disputes/{id}/answer',
      permission: 'disputes:write',
      tag: 'Peers',
      summary: 'Answer what a customer says against an invoice, once',
      description: 'It closes the task here, and what is to be done over there. Nothing is credited by it.',
      params: idParams,
      body: disputeAnswerSchema,
      result: disputeSchema,
      refusals: ['dispute_closed', 'dispute_not_ours'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const id = await answerDisputeOf(tx, params.id, body, { actor: principal.name, now })
      return toDisputeJson(await getDispute(tx, id))
    },
  )
}

/** @returns its id */
export async function raiseDisputeOf(
  tx: Tx,
  address: string,
  { reason, lines }: z.output<typeof newDisputeSchema>,
  { actor, now }: By,
): Promise<string> {
  const supplierInvoiceId = await resolveAddress(tx, 'supplierInvoice', address)
  return await raiseDispute(tx, { supplierInvoiceId, reason, lines: lines ?? [], actor, now })
}

/** @returns its id */
export async function answerDisputeOf(
  tx: Tx,
  address: string,
  { outcome, text }: z.output<typeof disputeAnswerSchema>,
  { actor, now }: By,
): Promise<string> {
  const id = await resolveAddress(tx, 'dispute', address)
  await answerDispute(tx, { id, outcome, text: text ?? null, actor, now })
  return id
}

/** @returns its id */
export async function withdrawDisputeOf(tx: Tx, address: string, { actor, now }: By): Promise<string> {
  const id = await resolveAddress(tx, 'dispute', address)
  await withdrawDispute(tx, { id, actor, now })
  return id
}
