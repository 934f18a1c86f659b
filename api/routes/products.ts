import type { Db } from '#db/database.ts'
import { insertProduct, type NewProduct } from '#db/product.ts'
import { setStock, type StockChange } from '#db/stock.ts'
import { listDefinitions } from '#db/read/application.ts'
import { getProduct, listProducts } from '#db/read/product.ts'
import { findSharedMetric, refuseArchivedMetrics } from '#db/shared-metric.ts'
import { readSellerToday } from '#db/seller.ts'
import { checkProduct } from '#domain/catalog.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { checkOffer } from '#domain/offer.ts'
import { checkQuantityFormula } from '#domain/pricing/quantity-formula.ts'
import type { Price } from '#domain/pricing/price.ts'
import { lineFormulaNames } from '#domain/invoice/rated-line.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { z } from '@hono/zod-openapi'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, addressParams, codeField } from '../schemas/common.ts'
import { newStockField } from '../schemas/offer.ts'
import { toOffer } from '../product-offer.ts'
import { readPrice } from '../schemas/price.ts'
import { newProductSchema, productSchema, toProductJson } from '../schemas/product.ts'
import { toTerms } from '../schemas/terms.ts'

const productQuery = z.strictObject({
  ...pageQuery,
  channel: z.enum(['shop']).optional().openapi({ description: 'What is sold there.' }),
  category: codeField(60).optional(),
  subscription: addressField.optional().openapi({ description: 'The add-ons that can join it.' }),
})

async function resolveBeside(db: Db, text: string): Promise<string> {
  const field = { kind: 'subscription', text, pointer: '?subscription' } as const
  return await resolveField(db, { ...field, unknown: 'subscription_unknown' })
}

export function registerProducts(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/products',
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'List products',
      query: productQuery,
      result: pageOf(productSchema),
      refusals: ['subscription_unknown'],
    },
    async ({ db, query, now }) => {
      const page = toPageRequest(query)
      const { channel, category = null, subscription } = query
      const filter = {
        isForShop: channel === 'shop',
        category,
        besideSubscriptionId: subscription === undefined ? null : await resolveBeside(db, subscription),
      }
      return toPage(
        await listProducts(db, { ...page, ...filter }, await readSellerToday(db, now)),
        page,
        toProductJson,
      )
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/products/{id}',
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'Read a product',
      params: addressParams,
      result: productSchema,
    },
    async ({ db, params, now }) => {
      const id = await resolveAddress(db, 'product', params.id)
      return toProductJson(await getProduct(db, id, await readSellerToday(db, now)))
    },
  )
  registerNewProduct(frame)
  registerProductStock(frame)
}

function registerProductStock(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/products/{id}/stock',
      permission: 'products:write',
      tag: 'Catalog',
      summary: 'Say how many there are of a product',
      description: 'And how many one customer can have. What is left out stays.',
      params: addressParams,
      body: newStockField,
      result: productSchema,
    },
    async ({ db, params, body, now }) => {
      const id = await resolveAddress(db, 'product', params.id)
      await setStock(db, id, toStockChange(body))
      return toProductJson(await getProduct(db, id, await readSellerToday(db, now)))
    },
  )
}

function toStockChange(body: z.output<typeof newStockField>): StockChange {
  return {
    ...(body.quantity === undefined ? {} : { quantity: body.quantity }),
    ...(body.limit_per_customer === undefined ? {} : { limitPerCustomer: body.limit_per_customer }),
    ...(body.is_returned === undefined ? {} : { isReturned: body.is_returned }),
  }
}

/** What a product can be refused for when it is made or changed. */
export const productRefusals: readonly ErrorCode[] = [
  'application_unknown',
  'billing_timing_invalid',
  'billing_type_invalid',
  'code_taken',
  'currency_unknown',
  'external_id_taken',
  'formula_invalid',
  'formula_not_allowed',
  'formula_too_expensive',
  'limit_not_enforceable',
  'limit_unknown',
  'metric_archived',
  'metric_unknown',
  'price_negative',
  'product_unknown',
  'quantity_invalid',
  'quantity_not_whole',
  'recurrence_invalid',
  'tiers_invalid',
  'unit_not_convertible',
  'unit_unknown',
]

function registerNewProduct(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/products',
      permission: 'products:write',
      tag: 'Catalog',
      summary: 'Create a product',
      body: newProductSchema,
      result: productSchema,
      status: 201,
      location: (product) => `/v1/products/${product.id}`,
      refusals: productRefusals,
    },
    async ({ db, body, now }) => {
      if (body.metric != null) await refuseArchivedMetrics(db, [body.metric], '/metric')
      const id = await insertProduct(db, await toNewProduct(db, body))
      if (body.stock != null) await setStock(db, id, toStockChange(body.stock))
      return toProductJson(await getProduct(db, id, await readSellerToday(db, now)))
    },
  )
}

type Body = z.output<typeof newProductSchema>

/** @throws what `productRefusals` lists, but taken codes and ids */
export async function toNewProduct(db: Db, body: Body): Promise<NewProduct> {
  const applicationIds = await resolveApplications(db, body.applications)
  const applications = await listDefinitions(db, applicationIds)
  const product = {
    code: body.code,
    externalId: body.external_id ?? null,
    name: body.name,
    billingType: body.billing_type,
    billingTiming: body.billing_timing,
    recurrence: body.recurrence,
    unit: body.unit,
    basePrice: readProductPrice(body),
    currency: body.currency,
    terms: toTerms(body.terms ?? {}),
    category: body.category ?? null,
    attributes: body.attributes,
    variantOf: await resolveVariant(db, body.variant_of ?? null),
    taxCategory: body.tax_category,
    metric: body.metric ?? null,
    limitCode: body.limit ?? null,
    quantityAttribute: body.quantity_attribute ?? null,
    features: body.features,
    ...(await toOffer(db, body)),
    applicationIds: [...new Set(applicationIds)],
  }
  checkOffer(product, applications)
  checkQuantityFormula(product, applications)
  const shared = product.metric === null ? undefined : await findSharedMetric(db, product.metric)
  checkProduct({ ...product, isRecurring: product.recurrence !== null }, applications, shared)
  return product
}

function readProductPrice(body: Body): Price {
  if (body.price === undefined) return perUnitPrice(body.base_price ?? '0')
  return readPrice(body.price, '/price', lineFormulaNames({ isRecurring: body.recurrence !== null }))
}

async function resolveApplications(db: Db, texts: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, text] of texts.entries()) {
    const pointer = `/applications/${index}`
    ids.push(await resolveField(db, { kind: 'application', text, pointer, unknown: 'application_unknown' }))
  }
  return ids
}

async function resolveVariant(db: Db, text: string | null): Promise<string | null> {
  if (text === null) return null
  return await resolveField(db, { kind: 'product', text, pointer: '/variant_of', unknown: 'product_unknown' })
}
