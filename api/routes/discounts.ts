import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { insertDiscount, takeDiscount } from '#db/discount.ts'
import { getCustomer } from '#db/read/customer.ts'
import { getDiscount, listDiscountPage } from '#db/read/discount.ts'
import { dateIn } from '#domain/calendar.ts'
import { fieldError } from '#domain/errors.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams, idParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import {
  discountSchema,
  givenDiscountSchema,
  newDiscountSchema,
  toDiscountJson,
} from '../schemas/discount.ts'

export function registerDiscounts(frame: Frame): void {
  registerDiscountReads(frame)
  registerNewDiscount(frame)
  registerGiving(frame)
}

function registerDiscountReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/discounts',
      permission: 'discounts:read',
      tag: 'Catalog',
      summary: 'List discounts',
      query: z.strictObject(pageQuery),
      result: pageOf(discountSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listDiscountPage(db, page), page, toDiscountJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/discounts/{id}',
      permission: 'discounts:read',
      tag: 'Catalog',
      summary: 'Read a discount',
      params: idParams,
      result: discountSchema,
    },
    async ({ db, params }) =>
      toDiscountJson(await getDiscount(db, await resolveAddress(db, 'discount', params.id))),
  )
}

function registerNewDiscount(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/discounts',
      permission: 'discounts:write',
      tag: 'Catalog',
      summary: 'Create a discount',
      body: newDiscountSchema,
      result: discountSchema,
      status: 201,
      location: (discount) => `/v1/discounts/${discount.id}`,
      refusals: [
        'code_taken',
        'currency_unknown',
        'date_range_invalid',
        'discount_invalid',
        'product_unknown',
      ],
    },
    async ({ db, body }) => toDiscountJson(await getDiscount(db, await createDiscount(db, body))),
  )
}

/** @throws `code_taken`, `currency_unknown`, `product_unknown` */
export async function createDiscount(db: Db, body: z.output<typeof newDiscountSchema>): Promise<string> {
  if (body.amount != null) checkCurrency(body.amount.currency, '/amount/currency')
  const productField = { kind: 'product', pointer: '/product', unknown: 'product_unknown' } as const
  return await insertDiscount(db, {
    code: body.code ?? null,
    name: body.name,
    percent: body.percent ?? null,
    amount:
      body.amount == null ? null : { amountMinor: body.amount.amount_minor, currency: body.amount.currency },
    scope: body.scope,
    productId: body.product == null ? null : await resolveField(db, { ...productField, text: body.product }),
    periodCount: body.period_count ?? null,
    startsOn: body.starts_on ?? null,
    endsOn: body.ends_on ?? null,
    maximumUses: body.maximum_uses ?? null,
    isOncePerCustomer: body.is_once_per_customer,
  })
}

function registerGiving(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/customers/{id}/discounts',
      permission: 'customers:write',
      tag: 'Customers',
      summary: 'Give a customer a discount',
      description: 'On all that the customer has, from a day on. It counts as a use.',
      params: addressParams,
      body: givenDiscountSchema,
      result: discountSchema,
      refusals: ['currency_mismatch', 'discount_code_unknown', 'discount_code_used_up'],
    },
    async ({ db, transaction, params, body, now }) => {
      const customer = await getCustomer(db, await resolveAddress(db, 'customer', params.id))
      const field = { kind: 'discount', text: body.discount, pointer: '/discount' } as const
      const id = await resolveField(db, { ...field, unknown: 'discount_code_unknown' })
      const discount = await getDiscount(db, id)
      if (discount.currency !== null && discount.currency !== customer.currency) {
        const detail = `The discount is in ${discount.currency}, the customer is billed in ${customer.currency}.`
        throw fieldError('/discount', 'currency_mismatch', detail)
      }
      if (discount.archived_at !== null) {
        throw fieldError('/discount', 'discount_code_unknown', `${discount.name} is archived.`)
      }
      await takeDiscount(transaction(), id, {
        customerId: customer.id,
        subscriptionIds: [null],
        startsOn: body.starts_on ?? dateIn(customer.time_zone, now),
        pointer: '/discount',
      })
      return toDiscountJson(await getDiscount(db, id))
    },
  )
}
