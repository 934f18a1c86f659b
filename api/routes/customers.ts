import { z } from '@hono/zod-openapi'
import { insertCustomer } from '#db/customer.ts'
import type { Db } from '#db/database.ts'
import { getCustomer, listCustomers } from '#db/read/customer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { getPriceList } from '#db/read/price-list.ts'
import { fieldError } from '#domain/errors.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import { customerSchema, newCustomerSchema, toCustomerJson } from '../schemas/customer.ts'

export function registerCustomers(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/customers',
      permission: 'customers:read',
      tag: 'Customers',
      summary: 'List customers',
      query: z.strictObject(pageQuery),
      result: pageOf(customerSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listCustomers(db, page), page, toCustomerJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/customers/{id}',
      permission: 'customers:read',
      tag: 'Customers',
      summary: 'Read a customer',
      params: addressParams,
      result: customerSchema,
    },
    async ({ db, params }) =>
      toCustomerJson(await getCustomer(db, await resolveAddress(db, 'customer', params.id))),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/customers',
      permission: 'customers:write',
      tag: 'Customers',
      summary: 'Create a customer',
      body: newCustomerSchema,
      result: customerSchema,
      status: 201,
      location: (customer) => `/v1/customers/${customer.id}`,
      refusals: ['code_taken', 'currency_mismatch', 'currency_unknown', 'price_list_unknown'],
    },
    async ({ db, body }) => {
      const defaults = await getInstallation(db)
      const terms = await agreeTerms(db, body)
      const id = await insertCustomer(db, {
        code: body.code,
        name: body.name,
        email: body.email ?? null,
        address: body.address ?? null,
        currency: terms.currency ?? defaults.currency,
        timeZone: body.time_zone ?? defaults.timeZone,
        priceListId: terms.priceListId,
      })
      return toCustomerJson(await getCustomer(db, id))
    },
  )
}

/** A customer is billed in the currency of its price list. */
async function agreeTerms(
  db: Db,
  body: z.output<typeof newCustomerSchema>,
): Promise<{ currency: string | undefined; priceListId: string | null }> {
  if (body.currency !== undefined) checkCurrency(body.currency)
  if (body.price_list == null) return { currency: body.currency, priceListId: null }
  const priceListId = await resolveField(db, {
    kind: 'priceList',
    text: body.price_list,
    pointer: '/price_list',
    unknown: 'price_list_unknown',
  })
  const { currency } = await getPriceList(db, priceListId)
  if (body.currency !== undefined && body.currency !== currency) {
    throw fieldError(
      '/currency',
      'currency_mismatch',
      `The price list is in ${currency}, not in ${body.currency}.`,
    )
  }
  return { currency, priceListId }
}
