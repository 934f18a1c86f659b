import { z } from '@hono/zod-openapi'
import Big from 'big.js'
import type { PriceListRow } from '#db/read/price-list.ts'
import { encodeId } from '#domain/identifier.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import { snakeKeys } from '../key-case.ts'
import { refuseWith } from '../validation.ts'
import { addressField, amountField, codeField, currencyField, dateField, nameField } from './common.ts'
import { priceField, toPriceJson } from './price.ts'

const decimal = /^\d{1,12}(\.\d{1,10})?$/

const percentField = z
  .string()
  .regex(/^(100(\.0+)?|\d{1,2}(\.\d{1,6})?)$/, 'A discount is a decimal from 0 to 100, as text')

const formulaField = z
  .strictObject({
    discount_percent: percentField.optional(),
    surcharge: z
      .string()
      .regex(/^-?\d{1,12}(\.\d{1,20})?$/, 'A surcharge is a decimal, as text')
      .optional(),
    step: amountField
      .refine((step) => /[1-9]/.test(step), { error: 'A step is more than 0' })
      .optional()
      .openapi({ description: 'Rounded to a multiple of it, halves away from zero.' }),
    least: amountField.optional(),
    greatest: amountField.optional(),
  })
  .refine(({ least = '0', greatest = least }) => new Big(least).lte(greatest), {
    path: ['least'],
    error: 'The least lies above the greatest',
  })
  .openapi('PriceListFormula')

const attributeField = z.strictObject({ name: codeField(60), value: nameField.max(100) })
const seasonField = z.strictObject({
  from: z.string().openapi({ example: '11-01' }),
  until: z.string().openapi({ description: 'The first day after.', example: '03-01' }),
})

/** How an item says what it makes of a price: one of these. */
const pricings = ['unit_price', 'price', 'discount_percent', 'formula'] as const
/** What an item is for; none of them: every product. */
const targets = ['product', 'attribute', 'category'] as const

export const priceListItemField = z
  .strictObject({
    product: addressField.nullish().openapi({ description: 'With its variants.' }),
    attribute: attributeField.nullish(),
    category: codeField(60).nullish(),
    customer: addressField.nullish().openapi({ description: 'For this customer alone.' }),
    minimum_quantity: z
      .string()
      .regex(decimal, refuseWith('quantity_invalid', 'A minimum quantity is 0 or more, as text.'))
      .default('0'),
    unit_price: amountField.nullish(),
    price: priceField.nullish(),
    discount_percent: percentField.nullish(),
    formula: formulaField.nullish(),
    starts_on: dateField.nullish(),
    ends_on: dateField.nullish().openapi({ description: 'The first day after.' }),
    season: seasonField.nullish().openapi({ description: 'It repeats every year between two days.' }),
    currency: currencyField
      .nullish()
      .openapi({ description: 'Of a fixed price; left out, the currency of the list.' }),
  })
  .refine((item) => pricings.filter((name) => item[name] != null).length === 1, {
    error: `An item has one of ${pricings.join(', ')}`,
  })
  .refine((item) => targets.filter((name) => item[name] != null).length <= 1, {
    error: `An item names at most one of ${targets.join(', ')}`,
  })
  .refine((item) => item.currency == null || item.price != null || item.unit_price != null, {
    error: 'Only a fixed price has a currency of its own',
  })
  .openapi('NewPriceListItem')

export const newPriceListSchema = z
  .strictObject({
    code: codeField(60),
    name: nameField,
    currency: currencyField,
    base_price_list: addressField
      .nullish()
      .openapi({ description: 'What discounts and formulas are of; left out: the base prices.' }),
    allows_conversion: z.boolean().optional().openapi({
      description:
        'A price in another currency than the customer’s is converted by the exchange rates, if the list has none in it.',
    }),
    items: z.array(priceListItemField).max(1000).default([]),
  })
  .openapi('NewPriceList')

export const newPriceListItemsSchema = z
  .strictObject({ items: z.array(priceListItemField).min(1).max(1000) })
  .openapi('NewPriceListItems')

export const priceListSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    name: z.string(),
    currency: z.string(),
    base_price_list: z.string().nullable().openapi({ description: 'Code.' }),
    allows_conversion: z.boolean(),
    items: z.array(
      z.object({
        id: z.string(),
        product: z.string().nullable(),
        attribute: z.object({ name: z.string(), value: z.string() }).nullable(),
        category: z.string().nullable(),
        customer: z.string().nullable(),
        minimum_quantity: z.string(),
        currency: z.string(),
        unit_price: z.string().nullable(),
        price: priceField.nullable(),
        price_sentence: z.string().nullable(),
        discount_percent: z.string().nullable(),
        formula: formulaField.nullable(),
        starts_on: z.string().nullable(),
        ends_on: z.string().nullable(),
        season: seasonField.nullable(),
      }),
    ),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('PriceList')

export function toPriceListJson(row: PriceListRow): z.input<typeof priceListSchema> {
  return {
    id: encodeId('priceList', row.id),
    code: row.code,
    name: row.name,
    currency: row.currency,
    base_price_list: row.base_price_list_code,
    allows_conversion: row.allows_conversion,
    items: row.items.map((item) => toItemJson(item, row.currency)),
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}

type ItemJson = z.input<typeof priceListSchema>['items'][number]

function toItemJson(item: PriceListRow['items'][number], ofList: string): ItemJson {
  const currency = item.currency ?? ofList
  const { attribute_name: name, attribute_value: value, season_from: from, season_until: until } = item
  return {
    id: encodeId('priceListItem', item.id),
    product: item.product_code,
    attribute: name === null || value === null ? null : { name, value },
    category: item.category,
    customer: item.customer_code,
    minimum_quantity: item.minimum_quantity,
    currency,
    unit_price: item.price && unitPriceOf(item.price),
    price: item.price && toPriceJson(item.price),
    // An item for several products says nothing of their units.
    price_sentence: item.price && describePriceModel(item.price, currency, item.unit ?? 'unit'),
    discount_percent: item.discount_percent,
    formula: item.formula && (snakeKeys(item.formula) as z.input<typeof formulaField>),
    starts_on: item.starts_on,
    ends_on: item.ends_on,
    season: from === null || until === null ? null : { from, until },
  }
}
