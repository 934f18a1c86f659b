import { z } from '@hono/zod-openapi'
import { toEventJson } from '#db/read/event-content.ts'
import type { OrderDetail } from '#db/read/order-detail.ts'
import { encodeId } from '#domain/identifier.ts'
import type { LineDifference, SaidLine } from '#domain/order-difference.ts'
import { buildSchema, toBuildJson } from './build.ts'
import { dateField, moneySchema } from './common.ts'
import { eventSchema } from './event.ts'
import { invoiceSchema, toInvoiceJson } from './invoice.ts'
import { orderSchema, toOrderJson } from './order.ts'
import { subscriptionLineSchema, toSubscriptionLineJson } from './subscription.ts'

export const orderDetailSchema = orderSchema
  .extend({
    agreed_lines: z
      .array(subscriptionLineSchema.extend({ subscription: z.string() }))
      .openapi({ description: 'What it sold, at the prices as agreed.' }),
    builds: z.array(buildSchema),
    invoices: z.array(invoiceSchema).openapi({ description: 'With lines of its subscriptions.' }),
    payments: z.array(
      z.object({
        invoice: z.string(),
        amount: moneySchema,
        reference: z.string().nullable(),
        received_at: z.string(),
      }),
    ),
    events: z.array(eventSchema).openapi({ description: 'Its timeline, the newest first.' }),
  })
  .openapi('OrderDetail')

export function toOrderDetailJson(detail: OrderDetail, now: string): z.input<typeof orderDetailSchema> {
  return {
    ...toOrderJson(detail.row, now),
    agreed_lines: detail.lines.map((line) => ({
      ...toSubscriptionLineJson(line),
      subscription: encodeId('subscription', line.subscription_id),
    })),
    builds: detail.builds.map(toBuildJson),
    invoices: detail.invoices.map(toInvoiceJson),
    payments: detail.payments.map((payment) => ({
      invoice: encodeId('invoice', payment.invoice_id),
      amount: { amount_minor: payment.amount_minor, currency: payment.currency },
      reference: payment.reference,
      received_at: payment.allocated_at,
    })),
    events: detail.events.map(toEventJson),
  }
}

export const placeAgainSchema = z
  .strictObject({
    expires_on: dateField.optional().openapi({
      description: 'The first day on which the draft cannot be had any more; left out, in 30 days.',
    }),
  })
  .openapi('PlaceAgain')

const saidLine = z
  .object({ quantity: z.string(), price_sentence: z.string(), amount: moneySchema })
  .nullable()

export const placedAgainSchema = z
  .object({
    order: orderSchema,
    changes: z
      .array(
        z.object({
          product: z.string(),
          before: saidLine.openapi({ description: 'Null: it was not sold then.' }),
          now: saidLine.openapi({ description: 'Null: it is not sold any more.' }),
        }),
      )
      .openapi({ description: 'What is another one than it was agreed.' }),
  })
  .openapi('PlacedAgain')

export function toChangesJson(
  differences: readonly LineDifference[],
  currency: string,
): z.input<typeof placedAgainSchema>['changes'] {
  const say = (line: SaidLine | null) =>
    line && {
      quantity: line.quantity,
      price_sentence: line.priceSentence,
      amount: { amount_minor: line.amountMinor, currency },
    }
  return differences.map(({ product, before, now }) => ({ product, before: say(before), now: say(now) }))
}
