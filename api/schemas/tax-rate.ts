import { z } from '@hono/zod-openapi'
import type { TaxRateRow } from '#db/read/tax-rate.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseWith } from '../validation.ts'
import { codeField, countryField, dateField, nameField, rateField } from './common.ts'

export const newTaxRateSchema = z
  .strictObject({
    country: countryField,
    region: nameField.nullish().openapi({ description: 'Left out: the whole country.' }),
    category: codeField(40).default('standard').openapi({ description: 'As products have it.' }),
    name: nameField.openapi({ example: 'VAT' }),
    rate_percent: rateField,
    starts_on: dateField.nullish(),
    ends_on: dateField.nullish().openapi({ description: 'The first day on which it is not in force.' }),
  })
  .refine((rate) => rate.starts_on == null || rate.ends_on == null || rate.starts_on < rate.ends_on, {
    path: ['ends_on'],
    error: refuseWith('date_range_invalid', 'A rate must end after it starts.'),
  })
  .openapi('NewTaxRate')

export const taxRateChangeSchema = z
  .strictObject({ ends_on: dateField.nullable().openapi({ description: 'Null: without end.' }) })
  .openapi('TaxRateChange')

export const taxRateSchema = z
  .object({
    id: z.string(),
    country: z.string(),
    region: z.string().nullable(),
    category: z.string(),
    name: z.string(),
    rate_percent: z.string(),
    starts_on: z.string().nullable(),
    ends_on: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('TaxRate')

export function toTaxRateJson(row: TaxRateRow): z.input<typeof taxRateSchema> {
  return {
    id: encodeId('taxRate', row.id),
    country: row.country,
    region: row.region,
    category: row.category,
    name: row.name,
    rate_percent: row.rate_percent,
    starts_on: row.starts_on,
    ends_on: row.ends_on,
    created_at: row.created_at,
  }
}
