import { z } from '@hono/zod-openapi'
import type { ChangeRequestRow } from '#db/read/change-request.ts'
import { changeRequestStates } from '#domain/change-request.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseWith } from '../validation.ts'
import { moneySchema, textField } from './common.ts'
import { recurrenceField } from './recurrence.ts'
import { belowUseRules, changeShape } from './subscription.ts'

const askable = ['quantity', 'product', 'recurrence'] as const

export const newChangeRequestSchema = z
  .strictObject({
    ...changeShape,
    message: textField(1000)
      .trim()
      .min(1)
      .optional()
      .openapi({ description: 'For the operator, in the customer’s own words.' }),
  })
  .refine((asked) => askable.some((field) => asked[field] !== undefined), {
    path: ['quantity'],
    error: refuseWith('field_required', `A change has at least one of ${askable.join(', ')}.`),
  })
  .openapi('NewChangeRequest')

export const changeRefusalSchema = z
  .strictObject({
    reason: textField(500).trim().min(1, 'Say why: the customer reads it').openapi({
      description: 'Shown to the customer.',
    }),
  })
  .openapi('ChangeRefusal')

export const changeRequestSchema = z
  .object({
    id: z.string(),
    subscription: z.string(),
    line: z.string(),
    instance: z.string().nullable(),
    mode: z.enum(['automatic', 'manual']).openapi({
      description: 'By the terms of the line. Manual: it waits as a task for an operator.',
    }),
    asked: z.object({
      quantity: z.string().nullable(),
      product: z.string().nullable(),
      recurrence: recurrenceField.nullable(),
      starts_on: z.string().nullable(),
      below_use: z.enum(belowUseRules),
    }),
    message: z.string().nullable(),
    requested_by: z.string(),
    preview: z
      .object({
        product: z.string(),
        from: z.string(),
        to: z.string(),
        direction: z.enum(['upgrade', 'downgrade']),
        effective_on: z.string(),
        credit: moneySchema,
        charge: moneySchema,
        limit: z.object({ code: z.string(), from: z.string(), to: z.string() }).nullable(),
        next_invoice: z.object({ on: z.string(), total: moneySchema }).nullable(),
      })
      .openapi({ description: 'What it meant and cost on the day it was asked for.' }),
    state: z.enum(changeRequestStates),
    decided_by: z.string().nullable(),
    decided_at: z.string().nullable(),
    refused_reason: z.string().nullable().openapi({ description: 'Why, for the customer.' }),
    created_at: z.string(),
  })
  .openapi('ChangeRequest')

export function toChangeRequestJson(row: ChangeRequestRow): z.input<typeof changeRequestSchema> {
  const { quantity = null, productId, recurrence = null, startsOn = null, belowUse = 'refuse' } = row.asked
  return {
    id: encodeId('changeRequest', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    line: encodeId('subscriptionLine', row.subscription_line_id),
    instance: row.instance_id === null ? null : encodeId('instance', row.instance_id),
    mode: row.mode,
    asked: {
      quantity,
      product: productId === undefined ? null : encodeId('product', productId),
      recurrence,
      starts_on: startsOn,
      below_use: belowUse,
    },
    message: row.message,
    requested_by: row.requested_by,
    preview: toPreviewJson(row),
    state: row.state,
    decided_by: row.decided_by,
    decided_at: row.decided_at,
    refused_reason: row.refused_reason,
    created_at: row.created_at,
  }
}

function toPreviewJson({ preview }: ChangeRequestRow) {
  const money = (amount_minor: number) => ({ amount_minor, currency: preview.currency })
  const { nextInvoice } = preview
  return {
    product: preview.product,
    from: preview.from,
    to: preview.to,
    direction: preview.direction,
    effective_on: preview.effectiveOn,
    credit: money(preview.creditMinor),
    charge: money(preview.chargeMinor),
    limit: preview.limit,
    next_invoice: nextInvoice === null ? null : { on: nextInvoice.on, total: money(nextInvoice.totalMinor) },
  }
}
