import { z } from '@hono/zod-openapi'
import type { Db, Tx } from '#db/database.ts'
import { redraft } from '#db/finalization.ts'
import { billOneOffs } from '#db/one-off-bill.ts'
import { insertOneOffCharge, withdrawOneOffCharge, type NewOneOffCharge } from '#db/one-off-charge.ts'
import { getCustomer } from '#db/read/customer.ts'
import {
  getOneOffCharge,
  listCustomerBalances,
  listOneOffCharges,
  type OneOffChargeRow,
} from '#db/read/one-off-charge.ts'
import { getProduct, type ProductRow } from '#db/read/product.ts'
import { findSubscription } from '#db/read/subscription.ts'
import { getTestClock } from '#db/read/test-clock.ts'
import { dateIn } from '#domain/calendar.ts'
import { atField, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { checkQuantity } from '#domain/order.ts'
import type { Price } from '#domain/pricing/price.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { getUnit } from '#domain/unit.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, addressParams, idParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import { invoiceDetailSchema } from '../schemas/invoice.ts'
import {
  balancesSchema,
  newInvoiceSchema,
  newOneOffChargeSchema,
  oneOffChargeSchema,
  toOneOffChargeJson,
} from '../schemas/one-off-charge.ts'
import { readPrice } from '../schemas/price.ts'
import { nothingSchema } from '../schemas/subscription.ts'
import { findCustomerFilter } from './documents.ts'
import { readInvoiceDetail } from './invoices.ts'

/** What a customer is charged once, beside his subscriptions, and what he is owed. */
export function registerOneOffCharges(frame: Frame): void {
  registerReads(frame)
  registerNewCharge(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/one-off-charges/{id}/withdraw',
      permission: 'invoices:write',
      tag: 'Billing',
      summary: 'Take back a one-off charge that no invoice holds',
      params: idParams,
      body: nothingSchema,
      result: oneOffChargeSchema,
      refusals: ['charge_billed'],
    },
    async ({ transaction, params, now }) => {
      const id = await resolveAddress(transaction(), 'oneOffCharge', params.id)
      return toOneOffChargeJson(await takeChargeBack(transaction(), id, now))
    },
  )
  registerNewInvoice(frame)
}

function registerReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/one-off-charges',
      permission: 'invoices:read',
      tag: 'Billing',
      summary: 'List one-off charges',
      query: z.strictObject({
        ...pageQuery,
        customer: addressField.optional(),
        state: z.enum(['waiting']).optional(),
      }),
      result: pageOf(oneOffChargeSchema),
      refusals: ['customer_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const customerId = await findCustomerFilter(db, query.customer)
      const rows = await listOneOffCharges(db, { ...page, customerId, isWaiting: query.state === 'waiting' })
      return toPage(rows, page, toOneOffChargeJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/customers/{id}/balances',
      permission: 'invoices:read',
      tag: 'Billing',
      summary: 'Read what a customer is owed; the next invoices use it by themselves',
      params: addressParams,
      result: balancesSchema,
    },
    async ({ db, params }) => {
      const rows = await listCustomerBalances(db, await resolveAddress(db, 'customer', params.id))
      return {
        data: rows.map((row) => ({
          balance: { amount_minor: row.amount_minor, currency: row.currency },
          test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
        })),
      }
    },
  )
}

function registerNewCharge(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/customers/{id}/one-off-charges',
      permission: 'invoices:write',
      tag: 'Billing',
      summary: 'Charge a customer once, with his next invoice',
      params: addressParams,
      body: newOneOffChargeSchema,
      result: oneOffChargeSchema,
      status: 201,
      refusals: [
        'clock_unknown',
        'currency_mismatch',
        'currency_unknown',
        'price_missing_in_currency',
        'product_unknown',
        'quantity_invalid',
        'subscription_unknown',
        'tiers_invalid',
        'unit_unknown',
      ],
    },
    async ({ transaction, params, body, now }) => {
      const tx = transaction()
      const customerId = await resolveAddress(tx, 'customer', params.id)
      const id = await chargeOnce(tx, { customerId, body, now })
      return toOneOffChargeJson(await getOneOffCharge(tx, id))
    },
  )
}

function registerNewInvoice(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/invoices',
      permission: 'invoices:write',
      tag: 'Billing',
      summary: 'Bill what waits of a customer now, on an invoice of its own',
      body: newInvoiceSchema,
      result: invoiceDetailSchema,
      status: 201,
      location: (invoice) => `/v1/invoices/${invoice.id}`,
      refusals: [
        'clock_unknown',
        'customer_unknown',
        'invoice_empty',
        'invoice_field_missing',
        'tax_answer_missing',
        'tax_rate_missing',
      ],
    },
    async ({ transaction, body, commandId, now }) => {
      const id = await billWaiting(transaction(), { body, commandId, now })
      return await readInvoiceDetail(transaction(), id)
    },
  )
}

/** @throws what the route of a new invoice refuses */
export async function billWaiting(
  tx: Tx,
  asked: { body: z.output<typeof newInvoiceSchema>; commandId: string; now: string },
): Promise<string> {
  const { body, commandId, now } = asked
  const customer = { kind: 'customer', pointer: '/customer', unknown: 'customer_unknown' } as const
  const customerId = await resolveField(tx, { ...customer, text: body.customer })
  const { currency } = await getCustomer(tx, customerId)
  const clock = await resolveClock(tx, body.test_clock, null)
  const { id } = await billOneOffs(tx, {
    customerId,
    currency: body.currency ?? currency,
    testClockId: clock?.id ?? null,
    billingKey: `one-off/${encodeId('customer', customerId)}/${commandId}`,
    now: clock?.now_at ?? now,
  })
  return id
}

/** @throws what the route of a new charge refuses */
export async function chargeOnce(tx: Tx, asked: Asked): Promise<string> {
  const charge = await toNewCharge(tx, asked)
  const id = await insertOneOffCharge(tx, charge)
  await redraft(tx, { ...charge, now: await businessNow(tx, charge.testClockId, asked.now) })
  return id
}

/** @throws `charge_billed` */
export async function takeChargeBack(tx: Tx, id: string, now: string): Promise<OneOffChargeRow> {
  await withdrawOneOffCharge(tx, id, now)
  const row = await getOneOffCharge(tx, id)
  const { customer_id: customerId, test_clock_id: testClockId } = row
  await redraft(tx, { customerId, testClockId, now: await businessNow(tx, testClockId, now) })
  return row
}

async function businessNow(db: Db, testClockId: string | null, now: string): Promise<string> {
  return testClockId === null ? now : (await getTestClock(db, testClockId)).now_at
}

interface Asked {
  readonly customerId: string
  readonly body: z.output<typeof newOneOffChargeSchema>
  readonly now: string
}

async function toNewCharge(db: Db, { customerId, body, now }: Asked): Promise<NewOneOffCharge> {
  const customer = await getCustomer(db, customerId)
  const subscription = await resolveSubscription(db, body.subscription, customerId)
  const clock = await resolveClock(db, body.test_clock, subscription?.test_clock_id ?? null)
  const today = dateIn(customer.time_zone, clock?.now_at ?? now)
  const product = await resolveProduct(db, body.product, today)
  const currency = body.currency ?? subscription?.currency ?? customer.currency
  checkCurrency(currency)
  if (body.text) refusePriced(body)
  if (subscription && subscription.currency !== currency) {
    throw fieldError('/currency', 'currency_mismatch', `The subscription is in ${subscription.currency}.`)
  }
  const description = body.description ?? product?.name
  if (description === undefined) {
    throw fieldError('/description', 'field_required', 'Say what is charged, or name a product.')
  }
  const unit = body.unit ?? product?.unit ?? 'piece'
  atField('/unit', () => getUnit(unit))
  return {
    customerId,
    subscriptionId: subscription?.id ?? null,
    testClockId: clock?.id ?? null,
    productId: product?.id ?? null,
    currency,
    description,
    quantity: checkQuantity(body.quantity, '').toFixed(),
    unit,
    price: toPrice(body, product, currency),
    taxCategory: body.tax_category ?? product?.tax_category ?? 'standard',
    reference: body.reference ?? null,
    chargedOn: body.charged_on ?? today,
    isText: body.text,
  }
}

/** A text has nothing that a price is made of. */
function refusePriced(body: Asked['body']): void {
  const said = (['price', 'unit_price', 'unit', 'product', 'tax_category'] as const).find(
    (field) => body[field] !== undefined,
  )
  if (said !== undefined) throw fieldError(`/${said}`, 'field_invalid', 'A text charges nothing.')
  if (!checkQuantity(body.quantity, '').eq(1))
    throw fieldError('/quantity', 'field_invalid', 'A text stands once.')
}

function toPrice(body: Asked['body'], product: ProductRow | null, currency: string): Price {
  if (body.text) return perUnitPrice('0')
  if (body.price !== undefined) return readPrice(body.price, '/price', { values: [], metrics: [] })
  if (body.unit_price !== undefined) return perUnitPrice(body.unit_price)
  if (product?.currency === currency) return product.price
  throw product === null
    ? fieldError('/unit_price', 'field_required', 'Give unit_price or price.')
    : fieldError('/unit_price', 'price_missing_in_currency', `${product.code} has no price in ${currency}.`)
}

async function resolveSubscription(db: Db, text: string | undefined, customerId: string) {
  if (text === undefined) return null
  const field = { kind: 'subscription', pointer: '/subscription', unknown: 'subscription_unknown' } as const
  const row = await findSubscription(db, await resolveField(db, { ...field, text }))
  if (row?.customer_id !== customerId) {
    throw fieldError(field.pointer, field.unknown, `The customer has no subscription ${text}.`)
  }
  return row
}

async function resolveClock(db: Db, text: string | undefined, otherwiseId: string | null) {
  const field = { kind: 'testClock', pointer: '/test_clock', unknown: 'clock_unknown' } as const
  const id = text === undefined ? otherwiseId : await resolveField(db, { ...field, text })
  return id === null ? null : await getTestClock(db, id)
}

async function resolveProduct(db: Db, text: string | undefined, today: string): Promise<ProductRow | null> {
  if (text === undefined) return null
  const field = { kind: 'product', pointer: '/product', unknown: 'product_unknown' } as const
  return await getProduct(db, await resolveField(db, { ...field, text }), today)
}
