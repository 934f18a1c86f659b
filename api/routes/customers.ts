import { z } from '@hono/zod-openapi'
import { insertCustomer, updateCustomer, type CustomerFacts } from '#db/customer.ts'
import type { Db } from '#db/database.ts'
import { getCustomer, listCustomers } from '#db/read/customer.ts'
import { checkPayer } from '#db/payer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { listTaxIdChecks } from '#db/read/tax-id-check.ts'
import { getPriceList } from '#db/read/price-list.ts'
import { closeTaxIdTask } from '#db/tax-id-check.ts'
import { fieldError } from '#domain/errors.ts'
import { isInEuropeanUnion } from '#domain/tax.ts'
import { readEuropeanTaxId } from '#domain/tax-id.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { camelKeys } from '../key-case.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import {
  customerChangeSchema,
  customerSchema,
  newCustomerSchema,
  toCustomerJson,
} from '../schemas/customer.ts'
import { taxIdCheckSchema, toTaxIdCheckJson } from '../schemas/tax-id-check.ts'

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
  registerNewCustomer(frame)
  registerCustomerChange(frame)
  registerTaxIdChecks(frame)
}

function registerTaxIdChecks(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/customers/{id}/tax-id-checks',
      permission: 'customers:read',
      tag: 'Customers',
      summary: 'List what registers said of a customer’s tax ids',
      params: addressParams,
      query: z.strictObject(pageQuery),
      result: pageOf(taxIdCheckSchema),
    },
    async ({ db, params, query }) => {
      const customerId = await resolveAddress(db, 'customer', params.id)
      const page = toPageRequest(query)
      return toPage(await listTaxIdChecks(db, { ...page, customerId }), page, toTaxIdCheckJson)
    },
  )
}

function registerNewCustomer(frame: Frame): void {
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
      refusals: [
        'code_taken',
        'currency_mismatch',
        'currency_unknown',
        'customer_unknown',
        'external_id_taken',
        'payer_invalid',
        'price_list_unknown',
        'tax_id_invalid',
      ],
    },
    async ({ db, body, now }) => {
      const { code, currency, time_zone: timeZone, ...given } = body
      checkTaxId(body, { taxId: null, country: null, isBusiness: false })
      const defaults = await getInstallation(db)
      if (currency !== undefined) checkCurrency(currency)
      const list = await resolvePriceList(db, body.price_list ?? null, currency)
      const id = await insertCustomer(db, {
        ...toFacts(given, { taxId: null, now }),
        ...(await toPayer(db, null, body.payer)),
        code,
        name: body.name,
        email: body.email ?? null,
        address: body.address ?? null,
        currency: currency ?? list?.currency ?? defaults.currency,
        timeZone: timeZone ?? defaults.timeZone,
        priceListId: list?.id ?? null,
      })
      return toCustomerJson(await getCustomer(db, id))
    },
  )
}

function registerCustomerChange(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/customers/{id}',
      permission: 'customers:write',
      tag: 'Customers',
      summary: 'Change a customer',
      description: 'What is left out stays. Finalized documents keep what they were made with.',
      params: addressParams,
      body: customerChangeSchema,
      result: customerSchema,
      refusals: [
        'currency_mismatch',
        'customer_unknown',
        'external_id_taken',
        'payer_invalid',
        'price_list_unknown',
        'tax_id_invalid',
      ],
    },
    async ({ db, params, body, now }) => {
      const id = await resolveAddress(db, 'customer', params.id)
      await changeCustomer(db, { id, body, now })
      return toCustomerJson(await getCustomer(db, id))
    },
  )
}

/**
 * What the route does, and the form of the customer's page.
 * @throws `currency_mismatch`, `customer_unknown`, `external_id_taken`, `payer_invalid`, `price_list_unknown`, `tax_id_invalid`
 */
export async function changeCustomer(
  db: Db,
  asked: { id: string; body: z.output<typeof customerChangeSchema>; now: string },
): Promise<void> {
  const { id, body, now } = asked
  const { currency, tax_id: taxId, country, is_business: isBusiness } = await getCustomer(db, id)
  checkTaxId(body, { taxId, country, isBusiness })
  const list = await resolvePriceList(db, body.price_list ?? null, currency)
  const facts = { ...toFacts(body, { taxId, now }), ...(await toPayer(db, id, body.payer)) }
  await updateCustomer(
    db,
    id,
    body.price_list === undefined ? facts : { ...facts, priceListId: list?.id ?? null },
  )
  if (facts.taxIdVerifiedAt !== undefined) await closeTaxIdTask(db, id, 'the tax id was changed or verified')
}

/** Of businesses in the EU, whose ids have forms; what nobody touches is not looked at. @throws `tax_id_invalid` */
function checkTaxId(
  body: z.output<typeof customerChangeSchema>,
  known: { taxId: string | null; country: string | null; isBusiness: boolean },
): void {
  const said = [body.tax_id, body.country, body.is_business]
  if (said.every((value) => value === undefined)) return
  const taxId = body.tax_id === undefined ? known.taxId : body.tax_id
  const country = body.country === undefined ? known.country : body.country
  const isBusiness = body.is_business ?? known.isBusiness
  if (taxId === null || country === null || !isBusiness || !isInEuropeanUnion(country)) return
  if (readEuropeanTaxId(taxId, country) !== null) return
  throw fieldError('/tax_id', 'tax_id_invalid', `${taxId} is no tax id of a business in ${country}.`)
}

/** Only what was said; null says that there is none. Another tax id is not verified, whatever was known of the one before. */
function toFacts(
  body: z.output<typeof customerChangeSchema>,
  known: { taxId: string | null; now: string },
): Partial<CustomerFacts> {
  const { is_tax_id_verified: isVerified, price_list: _list, payer: _payer, ...given } = body
  const facts = camelKeys(given) as Partial<CustomerFacts>
  const taxId = body.tax_id === undefined ? known.taxId : body.tax_id
  if (isVerified && taxId === null) {
    throw fieldError('/is_tax_id_verified', 'field_invalid', 'There is no tax id to verify.')
  }
  if (isVerified === undefined && taxId === known.taxId) return facts
  return { ...facts, taxIdVerifiedAt: isVerified ? known.now : null }
}

/** Documents that are finalized keep the payer of their time. @throws `customer_unknown`, `payer_invalid` */
async function toPayer(
  db: Db,
  customerId: string | null,
  text: string | null | undefined,
): Promise<Pick<CustomerFacts, 'payerId'> | null> {
  if (text === undefined) return null
  if (text === null) return { payerId: null }
  const pointer = '/payer'
  const payerId = await resolveField(db, { kind: 'customer', text, pointer, unknown: 'customer_unknown' })
  await checkPayer(db, customerId, payerId)
  return { payerId }
}

/** A customer is billed in a currency in which its price list has prices, or into which it converts them. */
async function resolvePriceList(
  db: Db,
  text: string | null,
  wanted: string | undefined,
): Promise<{ id: string; currency: string } | undefined> {
  if (text === null) return undefined
  const id = await resolveField(db, {
    kind: 'priceList',
    text,
    pointer: '/price_list',
    unknown: 'price_list_unknown',
  })
  const { currency, allows_conversion: allowsConversion, items, archived_at } = await getPriceList(db, id)
  if (archived_at !== null) throw fieldError('/price_list', 'price_list_unknown', `${text} is archived.`)
  const hasIts = allowsConversion || items.some((item) => item.currency === wanted)
  if (wanted !== undefined && wanted !== currency && !hasIts) {
    throw fieldError('/currency', 'currency_mismatch', `The price list is in ${currency}, not in ${wanted}.`)
  }
  return { id, currency }
}
