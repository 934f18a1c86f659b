import { z } from '@hono/zod-openapi'
import type { PriceListRow } from '#db/read/price-list.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseWith } from '../validation.ts'
import { addressField, codeField, currencyField, dateField, nameField, priceField } from './common.ts'

const decimal = /^\d{1,12}(\.\d{1,10})?$/

const itemField = z
  .strictObject({
    product: addressField.nullish().openapi({ description: 'Left out: every product.' }),
    minimum_quantity: z
      .string()
      .regex(decimal, refuseWith('quantity_invalid', 'A minimum quantity is 0 or more, as text.'))
      .default('0'),
    unit_price: priceField.nullish(),
    discount_percent: z
      .string()
      .regex(/^(100(\.0+)?|\d{1,2}(\.\d{1,6})?)$/, 'A discount is a decimal from 0 to 100, as text')
      .nullish(),
    starts_on: dateField.nullish(),
    ends_on: dateField.nullish().openapi({ description: 'The first day after.' }),
  })
  .refine((item) => (item.unit_price == null) !== (item.discount_percent == null), {
    error: 'An item has either a unit price or a discount',
  })
  .refine((item) => item.starts_on == null || item.ends_on == null || item.starts_on < item.ends_on, {
    path: ['ends_on'],
    error: refuseWith('date_range_invalid', 'An item must end after it starts.'),
  })

export const newPriceListSchema = z
  .strictObject({
    code: codeField(60),
    name: nameField,
    currency: currencyField,
    items: z.array(itemField).max(1000).default([]),
  })
  .openapi('NewPriceList')

export const priceListSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    name: z.string(),
    currency: z.string(),
    items: z.array(
      z.object({
        product: z.string().nullable(),
        minimum_quantity: z.string(),
        unit_price: z.string().nullable(),
        discount_percent: z.string().nullable(),
        starts_on: z.string().nullable(),
        ends_on: z.string().nullable(),
      }),
    ),
    created_at: z.string(),
  })
  .openapi('PriceList')

export function toPriceListJson(row: PriceListRow): z.input<typeof priceListSchema> {
  return {
    id: encodeId('priceList', row.id),
    code: row.code,
    name: row.name,
    currency: row.currency,
    items: row.items.map(({ product_code: product, ...item }) => ({ product, ...item })),
    created_at: row.created_at,
  }
}
