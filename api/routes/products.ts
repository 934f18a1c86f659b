import { insertProduct } from '#db/product.ts'
import { listDefinitions } from '#db/read/application.ts'
import { getProduct, listProducts } from '#db/read/product.ts'
import { checkProduct } from '#domain/catalog.ts'
import { z } from '@hono/zod-openapi'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { newProductSchema, productSchema, toProductJson } from '../schemas/product.ts'

export function registerProducts(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/products',
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'List products',
      query: z.strictObject(pageQuery),
      result: pageOf(productSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listProducts(db, page), page, toProductJson)
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
    async ({ db, params }) =>
      toProductJson(await getProduct(db, await resolveAddress(db, 'product', params.id))),
  )
  registerNewProduct(frame)
}

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
      refusals: [
        'application_unknown',
        'billing_timing_invalid',
        'billing_type_invalid',
        'code_taken',
        'currency_unknown',
        'limit_unknown',
        'metric_unknown',
        'price_negative',
        'recurrence_invalid',
        'unit_not_convertible',
        'unit_unknown',
      ],
    },
    async ({ db, body }) => {
      const applicationIds: string[] = []
      for (const [index, text] of body.applications.entries()) {
        const pointer = `/applications/${index}`
        applicationIds.push(
          await resolveField(db, { kind: 'application', text, pointer, unknown: 'application_unknown' }),
        )
      }
      const product = {
        code: body.code,
        name: body.name,
        billingType: body.billing_type,
        billingTiming: body.billing_timing,
        recurrence: body.recurrence,
        unit: body.unit,
        basePrice: body.base_price,
        currency: body.currency,
        metric: body.metric ?? null,
        limitCode: body.limit ?? null,
        applicationIds: [...new Set(applicationIds)],
      }
      checkProduct(
        { ...product, isRecurring: product.recurrence !== null },
        await listDefinitions(db, applicationIds),
      )
      return toProductJson(await getProduct(db, await insertProduct(db, product)))
    },
  )
}
