import { z } from '@hono/zod-openapi'
import type { ProductRow } from '#db/read/product.ts'
import { intervalUnits } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { billingTimings, billingTypes } from '#domain/product.ts'
import { refuseWith } from '../validation.ts'
import { addressField, codeField, currencyField, nameField, priceField } from './common.ts'

const recurrenceRefusal = refuseWith(
  'recurrence_invalid',
  `A recurrence is a whole number from 1 and one of ${intervalUnits.join(', ')}.`,
)

const recurrenceField = z.strictObject({
  count: z
    .number({ error: recurrenceRefusal })
    .int(recurrenceRefusal)
    .min(1, recurrenceRefusal)
    .max(1000, recurrenceRefusal),
  unit: z.enum(intervalUnits, { error: recurrenceRefusal }),
})

export const newProductSchema = z
  .strictObject({
    code: codeField(60),
    name: nameField,
    billing_type: z.enum(billingTypes, {
      error: refuseWith('billing_type_invalid', `A billing type is one of ${billingTypes.join(', ')}.`),
    }),
    billing_timing: z.enum(billingTimings, {
      error: refuseWith('billing_timing_invalid', `A billing timing is one of ${billingTimings.join(', ')}.`),
    }),
    recurrence: recurrenceField.nullable().openapi({ description: 'Null: a one-time fee.' }),
    unit: z.string().min(1).max(40).openapi({ example: 'user' }),
    base_price: priceField.openapi({ description: 'Per unit, a decimal in major units.' }),
    currency: currencyField,
    metric: codeField(60)
      .nullish()
      .openapi({ description: 'What is metered; needed for usage, and only there.' }),
    limit: codeField(60)
      .nullish()
      .openapi({ description: 'The limit that the sold quantity sets; for threshold only.' }),
    applications: z
      .array(addressField)
      .max(20)
      .default([])
      .openapi({ description: 'Ids or codes of what it builds.' }),
  })
  .openapi('NewProduct')

export const productSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    name: z.string(),
    billing_type: z.enum(billingTypes),
    billing_timing: z.enum(billingTimings),
    recurrence: z.object({ count: z.number().int(), unit: z.enum(intervalUnits) }).nullable(),
    unit: z.string(),
    base_price: z.string(),
    currency: z.string(),
    metric: z.string().nullable(),
    limit: z.string().nullable(),
    applications: z.array(z.string()).openapi({ description: 'Codes.' }),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Product')

export function toProductJson(row: ProductRow): z.input<typeof productSchema> {
  return {
    id: encodeId('product', row.id),
    code: row.code,
    name: row.name,
    billing_type: row.billing_type,
    billing_timing: row.billing_timing,
    recurrence:
      row.recurrence_count !== null && row.recurrence_unit !== null
        ? { count: row.recurrence_count, unit: row.recurrence_unit }
        : null,
    unit: row.unit,
    base_price: row.base_price,
    currency: row.currency,
    metric: row.metric,
    limit: row.limit_code,
    applications: row.application_codes,
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}
