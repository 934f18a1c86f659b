import { z } from '@hono/zod-openapi'
import { recordRefundSent } from '#db/balance-movement.ts'
import { decideOrder, type OrderDecision } from '#db/order-decision.ts'
import { cancelOrder } from '#db/order-end.ts'
import { cancelDraft } from '#db/quote.ts'
import { getOrderIdOf } from '#db/payment-request.ts'
import { getOrder } from '#db/read/order.ts'
import { listPaymentRequests } from '#db/read/payment-request.ts'
import { recordRequestPayment } from '#db/request-payment.ts'
import { resolveAddress } from '../addressing.ts'
import type { Call, Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { dispatchOutbox } from '../relay.ts'
import { addressParams, idParams } from '../schemas/common.ts'
import {
  optionalReasonSchema,
  paymentRequestSchema,
  requestPaymentSchema,
  sentRefundSchema,
  toPaymentRequestJson,
} from '../schemas/order-hold.ts'
import { orderSchema, toOrderJson } from '../schemas/order.ts'

/** What an order waits for before it is built: who settles it, and how an order ends that is not built. */
export function registerOrderHolds(frame: Frame): void {
  registerDecision(frame, {
    name: 'accept',
    summary: 'Accept an order that waits for an operator: it is built',
    outcome: 'released',
  })
  registerDecision(frame, {
    name: 'refuse',
    summary: 'Refuse an order that waits for an operator: nothing of it is built',
    outcome: 'refused',
  })
  registerCancellation(frame)
  registerPaymentRequests(frame)
  registerSentRefund(frame)
}

type DecisionCall = Call<z.output<typeof addressParams>, unknown, z.output<typeof optionalReasonSchema>>

async function toDecision({ db, params, body, principal, now }: DecisionCall): Promise<OrderDecision> {
  const orderId = await resolveAddress(db, 'order', params.id)
  return { orderId, actor: principal.name, reason: body.reason ?? null, now }
}

function registerDecision(
  frame: Frame,
  decision: { name: string; summary: string; outcome: 'released' | 'refused' },
): void {
  frame.route(
    {
      method: 'post',
      path: `/v1/orders/{id}/${decision.name}`,
      permission: 'orders:write',
      tag: 'Orders',
      summary: decision.summary,
      params: addressParams,
      body: optionalReasonSchema,
      result: orderSchema,
      refusals: ['order_not_held'],
    },
    async (call) => {
      const asked = await toDecision(call)
      await decideOrder(call.transaction(), asked, decision.outcome)
      return await answer(frame, call, asked.orderId)
    },
  )
}

async function answer(
  frame: Frame,
  { db, now, afterCommit }: Pick<DecisionCall, 'db' | 'now' | 'afterCommit'>,
  orderId: string,
): Promise<z.input<typeof orderSchema>> {
  afterCommit(async () => void (await dispatchOutbox(frame.deps)))
  return toOrderJson(await getOrder(db, orderId), now)
}

function registerCancellation(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/orders/{id}/cancel',
      permission: 'orders:write',
      tag: 'Orders',
      summary: 'Cancel a draft, or an order of which nothing is active yet',
      description:
        'What it waited for is closed, and nothing is built; a build that runs stops between two steps and is undone.',
      params: addressParams,
      body: optionalReasonSchema,
      result: orderSchema,
      refusals: ['order_active', 'order_ended', 'order_not_draft', 'quote_expired'],
    },
    async (call) => {
      const asked = await toDecision(call)
      const { confirmed_at: confirmedAt } = await getOrder(call.db, asked.orderId)
      if (confirmedAt === null) await cancelDraft(call.transaction(), asked.orderId, call.now)
      else await cancelOrder(call.transaction(), asked)
      return await answer(frame, call, asked.orderId)
    },
  )
}

function registerPaymentRequests(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/payment-requests',
      permission: 'invoices:read',
      tag: 'Orders',
      summary: 'List what is asked for before a build',
      query: z.strictObject({ ...pageQuery, open: z.stringbool().optional().openapi({ type: 'boolean' }) }),
      result: pageOf(paymentRequestSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const rows = await listPaymentRequests(db, { ...page, isOpen: query.open ?? null })
      return toPage(rows, page, toPaymentRequestJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/payment-requests/{id}/payments',
      permission: 'invoices:write',
      tag: 'Orders',
      summary: 'Record the money that was asked for before a build',
      description:
        'It becomes balance of the customer, which settles the first invoice. The order waits for it no more.',
      params: idParams,
      body: requestPaymentSchema,
      result: orderSchema,
      refusals: ['currency_mismatch', 'payment_not_as_requested', 'payment_request_closed'],
    },
    async (call) => {
      const { db, params, body, principal, now } = call
      const paymentRequestId = await resolveAddress(db, 'paymentRequest', params.id)
      await recordRequestPayment(call.transaction(), {
        paymentRequestId,
        amountMinor: body.amount_minor,
        currency: body.currency,
        reference: body.reference ?? null,
        actor: principal.name,
        now,
      })
      return await answer(frame, call, await getOrderIdOf(db, paymentRequestId))
    },
  )
}

function registerSentRefund(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/orders/{id}/refund-sent',
      permission: 'invoices:write',
      tag: 'Orders',
      summary: 'Record that the money of an order that was not built was sent back',
      params: addressParams,
      body: sentRefundSchema,
      result: orderSchema,
      refusals: ['no_refund_due'],
    },
    async ({ db, transaction, params, body, principal, now }) => {
      const orderId = await resolveAddress(db, 'order', params.id)
      const { reference = null } = body
      await recordRefundSent(transaction(), { orderId, reference, actor: principal.name, now })
      return toOrderJson(await getOrder(db, orderId), now)
    },
  )
}
