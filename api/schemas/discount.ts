import { z } from '@hono/zod-openapi'
import type { DiscountRow } from '#db/read/discount.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseWith } from '../validation.ts'
import { addressField, currencyField, dateField, moneySchema, nameField } from './common.ts'

const percentRefusal = refuseWith(
  'discount_invalid',
  'A discount is a decimal above 0 and up to 100, as text.',
)

const amountRefusal = {
  error: refuseWith('discount_invalid', 'A discount is a whole number above 0, in the smallest unit.'),
}

export const discountCodeField = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9-]{0,39}$/, 'A discount code has 1 to 40 capital letters, digits and hyphens')
  .openapi({ example: 'SPRING-2026' })

export const newDiscountSchema = z
  .strictObject({
    code: discountCodeField.nullish().openapi({ description: 'Whoever knows it may use it in an order.' }),
    name: nameField.openapi({ description: 'As it stands on invoices.' }),
    percent: z
      .string({ error: percentRefusal })
      .regex(/^(100(\.0+)?|\d{1,2}(\.\d{1,6})?)$/, percentRefusal)
      .refine((percent) => /[1-9]/.test(percent), { error: percentRefusal })
      .nullish(),
    amount: z
      .strictObject({ amount_minor: z.int(amountRefusal).min(1, amountRefusal), currency: currencyField })
      .nullish()
      .openapi({ description: 'In place of percent; taken off once a period.' }),
    scope: z
      .enum(['line', 'document'])
      .openapi({ description: 'Those of lines come first, those of documents on what they left.' }),
    product: addressField.nullish().openapi({ description: 'Left out: for every product.' }),
    period_count: z.int().min(1).max(1_200).nullish().openapi({ description: 'Left out: without end.' }),
    starts_on: dateField.nullish().openapi({ description: 'The first day on which it can be got.' }),
    ends_on: dateField.nullish().openapi({ description: 'The first day on which it cannot be got.' }),
    maximum_uses: z.int().min(1).nullish(),
    is_once_per_customer: z.boolean().default(false),
  })
  .refine((discount) => (discount.percent == null) !== (discount.amount == null), {
    path: ['percent'],
    error: refuseWith('discount_invalid', 'A discount has either a percent or an amount.'),
  })
  .refine(({ starts_on: from, ends_on: until }) => from == null || until == null || from < until, {
    path: ['ends_on'],
    error: refuseWith('date_range_invalid', 'A discount must end after it starts.'),
  })
  .openapi('NewDiscount')

export const givenDiscountSchema = z
  .strictObject({
    discount: addressField.openapi({ description: 'Id.' }),
    starts_on: dateField.optional().openapi({ description: 'Left out: today.' }),
  })
  .openapi('GivenDiscount')

export const discountSchema = z
  .object({
    id: z.string(),
    code: z.string().nullable(),
    name: z.string(),
    percent: z.string().nullable(),
    amount: moneySchema.nullable(),
    scope: z.enum(['line', 'document']),
    product: z.string().nullable().openapi({ description: 'Code.' }),
    period_count: z.number().int().nullable(),
    starts_on: z.string().nullable(),
    ends_on: z.string().nullable(),
    maximum_uses: z.number().int().nullable(),
    use_count: z.number().int(),
    is_once_per_customer: z.boolean(),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Discount')

export function toDiscountJson(row: DiscountRow): z.input<typeof discountSchema> {
  return {
    id: encodeId('discount', row.id),
    code: row.code,
    name: row.name,
    percent: row.percent,
    amount:
      row.amount_minor === null || row.currency === null
        ? null
        : { amount_minor: row.amount_minor, currency: row.currency },
    scope: row.scope,
    product: row.product_code,
    period_count: row.period_count,
    starts_on: row.starts_on,
    ends_on: row.ends_on,
    maximum_uses: row.maximum_uses,
    use_count: row.use_count,
    is_once_per_customer: row.is_once_per_customer,
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}
