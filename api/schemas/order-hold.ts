import { z } from '@hono/zod-openapi'
import type { OrderRow } from '#db/read/order.ts'
import type { PaymentRequestRow } from '#db/read/payment-request.ts'
import { encodeId } from '#domain/identifier.ts'
import { orderHoldKinds, orderHoldOutcomes, sayHold, type PlannedHold } from '#domain/order-hold.ts'
import { currencyField, moneySchema, nameField, textField } from './common.ts'
import { minorField } from './invoice-action.ts'

const reasonField = textField(500).trim().min(1).openapi({ description: 'For the timeline.' })

export const optionalReasonSchema = z
  .strictObject({ reason: reasonField.nullish() })
  .openapi('OptionalReason')

export const requestPaymentSchema = z
  .strictObject({
    amount_minor: minorField,
    currency: currencyField,
    reference: nameField.max(140).nullish().openapi({ description: 'As the bank statement has it.' }),
  })
  .openapi('PaymentOfRequest')

export const sentRefundSchema = z
  .strictObject({
    reference: nameField.max(140).nullish().openapi({ description: 'As the bank statement has it.' }),
  })
  .openapi('SentRefund')

const requestStates = ['open', 'paid', 'expired', 'closed'] as const

/** What an order will wait for. */
export const plannedHoldSchema = z.object({
  kind: z.enum(orderHoldKinds),
  said: z.string().openapi({ description: 'As a customer is told.' }),
  detail: z
    .string()
    .openapi({ description: 'Such as the amount that is to be paid, or the rule of a review.' }),
  until: z.string().nullable().openapi({ description: 'When it ends by itself, and the order with it.' }),
})

export function toPlannedHoldJson(hold: PlannedHold): z.input<typeof plannedHoldSchema> {
  const { kind, detail, expiresAt } = hold
  return { kind, said: sayHold(kind), detail, until: expiresAt }
}

/** What an order waits for, and has waited for. */
export const holdShape = {
  waits_for: z
    .array(z.string())
    .openapi({ description: 'What a customer is told: waiting for payment, being checked. Empty: nothing.' }),
  holds: z.array(
    z.object({
      kind: z.enum(orderHoldKinds),
      rule: z.string().nullable().openapi({ description: 'Of a review: by which rules of the seller.' }),
      detail: z.string(),
      since: z.string(),
      until: z.string().nullable().openapi({ description: 'When it ends by itself, and the order with it.' }),
      settled_at: z.string().nullable(),
      outcome: z.enum(orderHoldOutcomes).nullable(),
      settled_by: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  payment_requests: z.array(
    z.object({
      id: z.string(),
      total: moneySchema.openapi({ description: 'With tax.' }),
      state: z.enum(requestStates),
      expires_at: z.string(),
      settled_at: z.string().nullable(),
    }),
  ),
  expired_at: z.string().nullable().openapi({ description: 'When what it waited for had not come in time.' }),
}

type Shape = { [Name in keyof typeof holdShape]: z.input<(typeof holdShape)[Name]> }

export function toHoldJson(
  row: Pick<OrderRow, 'holds' | 'payment_requests' | 'expired_at' | 'currency'>,
): Shape {
  return {
    waits_for: row.holds.filter((hold) => hold.settled_at === null).map(({ kind }) => sayHold(kind)),
    holds: row.holds.map((hold) => ({
      kind: hold.kind,
      rule: hold.rule,
      detail: hold.detail,
      since: toInstant(hold.opened_at),
      until: hold.expires_at && toInstant(hold.expires_at),
      settled_at: hold.settled_at && toInstant(hold.settled_at),
      outcome: hold.outcome,
      settled_by: hold.settled_by,
      reason: hold.reason,
    })),
    payment_requests: row.payment_requests.map((request) => ({
      id: encodeId('paymentRequest', request.id),
      total: { amount_minor: request.total_minor, currency: row.currency },
      state: request.state,
      expires_at: toInstant(request.expires_at),
      settled_at: request.settled_at && toInstant(request.settled_at),
    })),
    expired_at: row.expired_at,
  }
}

/** In nested rows PostgreSQL writes instants in its own way. */
function toInstant(text: string): string {
  return new Date(text).toISOString()
}

export const paymentRequestSchema = z
  .object({
    id: z.string(),
    order: z.string(),
    customer: z.string(),
    total: moneySchema.openapi({ description: 'With tax.' }),
    state: z.enum(requestStates),
    opened_at: z.string(),
    expires_at: z.string(),
    settled_at: z.string().nullable(),
  })
  .openapi('PaymentRequest')

export function toPaymentRequestJson(row: PaymentRequestRow): z.input<typeof paymentRequestSchema> {
  return {
    id: encodeId('paymentRequest', row.id),
    order: encodeId('order', row.order_id),
    customer: row.customer_code,
    total: { amount_minor: row.total_minor, currency: row.currency },
    state: row.state,
    opened_at: row.opened_at,
    expires_at: row.expires_at,
    settled_at: row.settled_at,
  }
}
