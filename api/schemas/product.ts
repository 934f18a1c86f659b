import { z } from '@hono/zod-openapi'
import type { ProductRow } from '#db/read/product.ts'
import { intervalUnits, type Recurrence } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { billingTimings, billingTypes } from '#domain/product.ts'
import { snakeKeys } from '../key-case.ts'
import { refuseWith } from '../validation.ts'
import { priceSentence } from '#domain/pricing/sentence.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import { addressField, amountField, codeField, currencyField, externalIdField, nameField } from './common.ts'
import { featuresField, newFeaturesField } from './feature.ts'
import {
  newOptionField,
  newOrderFieldField,
  newStockField,
  optionSchema,
  orderFieldSchema,
  stockSchema,
  toOfferBody,
  toOptionJson,
  toOrderFieldJson,
} from './offer.ts'
import { priceField, toPriceJson } from './price.ts'
import { recurrenceField } from './recurrence.ts'
import { termsField, termsSchema, toTermsJson } from './terms.ts'
import { bodyOf, changeable, effectiveOnField, versionShape } from './version.ts'

export const newProductSchema = z
  .strictObject({
    code: codeField(60),
    external_id: externalIdField.nullish(),
    name: nameField,
    billing_type: z.enum(billingTypes, {
      error: refuseWith('billing_type_invalid', `A billing type is one of ${billingTypes.join(', ')}.`),
    }),
    billing_timing: z.enum(billingTimings, {
      error: refuseWith('billing_timing_invalid', `A billing timing is one of ${billingTimings.join(', ')}.`),
    }),
    recurrence: recurrenceField.nullable().openapi({ description: 'Null: a one-time fee.' }),
    unit: z.string().min(1).max(40).openapi({ example: 'user' }),
    base_price: amountField
      .optional()
      .openapi({ description: 'Per unit, a decimal in major units; short for a price of model per_unit.' }),
    price: priceField.optional().openapi({ description: 'In place of base_price.' }),
    currency: currencyField,
    terms: termsField.optional().openapi({ description: 'What is left out is as usual.' }),
    category: codeField(60).nullish(),
    attributes: z
      .record(codeField(60), nameField.max(100))
      .refine((attributes) => Object.keys(attributes).length <= 20, { error: 'At most 20 attributes' })
      .default({})
      .openapi({ description: 'Billing tags; a price list item can name one.' }),
    variant_of: addressField.nullish().openapi({ description: 'The product that this is a variant of.' }),
    tax_category: codeField(40).default('standard'),
    metric: codeField(60)
      .nullish()
      .openapi({ description: 'What is metered; needed for usage, and only there.' }),
    limit: codeField(60)
      .nullish()
      .openapi({ description: 'The limit that the sold quantity sets; for threshold only.' }),
    quantity_attribute: codeField(60).nullish().openapi({
      description: 'The attribute whose value is the quantity that one of it sells; for threshold only.',
    }),
    is_hidden: z.boolean().default(false).openapi({ description: 'Not sold in the shop by itself.' }),
    add_on_of: z
      .array(addressField)
      .max(100)
      .default([])
      .openapi({ description: 'The products that it is sold beside, and only there; none: by itself.' }),
    features: newFeaturesField,
    options: z.array(newOptionField).max(50).default([]),
    order_fields: z.array(newOrderFieldField).max(50).default([]),
    stock: newStockField.nullish().openapi({ description: 'Null: as many as are asked for.' }),
    applications: z
      .array(addressField)
      .max(20)
      .default([])
      .openapi({ description: 'Ids or codes of what it builds.' }),
  })
  .refine((product) => (product.base_price === undefined) !== (product.price === undefined), {
    path: ['base_price'],
    error: 'A product has either a base_price or a price',
  })
  .openapi('NewProduct')

const { code: _code, variant_of: _variantOf, stock: _stock, ...changeableShape } = newProductSchema.shape

export const productChangeSchema = z
  .strictObject({ ...changeable(changeableShape), effective_on: effectiveOnField })
  .partial()
  .openapi('ProductChange')

export const productSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    external_id: z.string().nullable(),
    version: z.number().int(),
    effective_on: versionShape.effective_on,
    name: z.string(),
    billing_type: z.enum(billingTypes),
    billing_timing: z.enum(billingTimings),
    recurrence: z.object({ count: z.number().int(), unit: z.enum(intervalUnits) }).nullable(),
    unit: z.string(),
    base_price: z.string().nullable().openapi({ description: 'Null where a unit has no single price.' }),
    price: priceField,
    price_sentence: z.string(),
    currency: z.string(),
    terms: termsSchema,
    category: z.string().nullable(),
    attributes: z.record(z.string(), z.string()),
    variant_of: z.string().nullable().openapi({ description: 'Code.' }),
    tax_category: z.string(),
    metric: z.string().nullable(),
    limit: z.string().nullable(),
    quantity_attribute: z.string().nullable(),
    is_hidden: z.boolean(),
    add_on_of: z.array(z.string()).openapi({ description: 'Codes.' }),
    add_ons: z.array(z.string()).openapi({ description: 'Codes of what is sold beside it.' }),
    features: featuresField,
    options: z.array(optionSchema),
    order_fields: z.array(orderFieldSchema),
    stock: stockSchema.nullable(),
    applications: z.array(z.string()).openapi({ description: 'Codes.' }),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Product')

function recurrenceOf({ recurrence_count: count, recurrence_unit: unit }: ProductRow): Recurrence | null {
  return count === null || unit === null ? null : { count, unit }
}

export function toProductJson(row: ProductRow): z.input<typeof productSchema> {
  return {
    id: encodeId('product', row.id),
    code: row.code,
    external_id: row.external_id,
    version: row.version,
    effective_on: row.effective_on,
    name: row.name,
    billing_type: row.billing_type,
    billing_timing: row.billing_timing,
    recurrence: recurrenceOf(row),
    unit: row.unit,
    base_price: unitPriceOf(row.price),
    price: toPriceJson(row.price),
    price_sentence: priceSentence({
      price: row.price,
      currency: row.currency,
      unit: row.unit,
      billingType: row.billing_type,
      recurrence: recurrenceOf(row),
    }),
    currency: row.currency,
    terms: toTermsJson(row.terms),
    category: row.category,
    attributes: row.attributes,
    variant_of: row.variant_of_code,
    tax_category: row.tax_category,
    metric: row.metric,
    limit: row.limit_code,
    quantity_attribute: row.quantity_attribute,
    features: row.features,
    is_hidden: row.is_hidden,
    add_on_of: row.add_on_of_codes,
    add_ons: row.add_on_codes,
    options: toOptionJson(row),
    order_fields: toOrderFieldJson(row),
    stock: row.stock,
    applications: row.application_codes,
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}

/** A version as it would be asked for. The short form of a price stands for the long one. */
export function toProductBody(row: ProductRow): Record<string, unknown> {
  const { price, ...body } = bodyOf(toProductJson(row), newProductSchema.shape)
  const terms = Object.entries(row.terms).length === 0 ? {} : { terms: snakeKeys(row.terms) }
  const attributes = Object.keys(row.attributes).length === 0 ? {} : { attributes: row.attributes }
  const features = Object.keys(row.features).length === 0 ? {} : { features: row.features }
  const { terms: _terms, attributes: _attributes, features: _features, stock: _ownRoute, ...rest } = body
  const recurrence = { recurrence: body['recurrence'] ?? null }
  return {
    ...rest,
    ...recurrence,
    ...(body['base_price'] === undefined ? { price } : {}),
    ...terms,
    ...attributes,
    ...features,
    ...toOfferBody(row),
  }
}
