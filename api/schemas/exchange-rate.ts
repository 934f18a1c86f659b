import { z } from '@hono/zod-openapi'
import type { ExchangeRateRow } from '#db/read/exchange-rate.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseWith } from '../validation.ts'
import { currencyField, dateField, nameField } from './common.ts'

export const newExchangeRateSchema = z
  .strictObject({
    base: currencyField.openapi({ example: 'EUR' }),
    quote: currencyField.openapi({ example: 'USD' }),
    rate: z
      .string()
      .regex(/^\d{1,12}(\.\d{1,20})?$/, 'A rate is a decimal as text, such as "1.0842"')
      .refine((rate) => /[1-9]/.test(rate), { error: 'A rate is above 0' })
      .openapi({ example: '1.0842', description: '1 of the base is so many of the quote.' }),
    source: nameField.openapi({ example: 'ECB', description: 'Who says so, as documents name it.' }),
    valid_on: dateField.openapi({ description: 'It holds from this day until that of the next one.' }),
  })
  .refine((rate) => rate.base !== rate.quote, {
    path: ['quote'],
    error: refuseWith('field_invalid', 'A rate is between two currencies.'),
  })
  .openapi('NewExchangeRate')

export const exchangeRateSchema = z
  .object({
    id: z.string(),
    base: z.string(),
    quote: z.string(),
    rate: z.string(),
    source: z.string(),
    valid_on: z.string(),
    created_at: z.string(),
  })
  .openapi('ExchangeRate')

export function toExchangeRateJson(row: ExchangeRateRow): z.input<typeof exchangeRateSchema> {
  return {
    id: encodeId('exchangeRate', row.id),
    base: row.base,
    quote: row.quote,
    rate: row.rate,
    source: row.source,
    valid_on: row.valid_on,
    created_at: row.created_at,
  }
}
