import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { insertPriceList, insertPriceListItems, type NewPriceListItem } from '#db/price-list.ts'
import { getPriceList, listPriceLists } from '#db/read/price-list.ts'
import type { PriceFormula } from '#db/tables/catalog.ts'
import { lineFormulaNames } from '#domain/invoice/rated-line.ts'
import { fieldError, type ErrorCode } from '#domain/errors.ts'
import { checkItemDates, type ItemTarget } from '#domain/pricing/price-list-item.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { camelKeys, inSnakeCase } from '../key-case.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import {
  newPriceListItemsSchema,
  newPriceListSchema,
  type priceListItemField,
  priceListSchema,
  toPriceListJson,
} from '../schemas/price-list.ts'
import { readPrice } from '../schemas/price.ts'

export function registerPriceLists(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/price-lists',
      permission: 'price_lists:read',
      tag: 'Catalog',
      summary: 'List price lists',
      query: z.strictObject(pageQuery),
      result: pageOf(priceListSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listPriceLists(db, page), page, toPriceListJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/price-lists/{id}',
      permission: 'price_lists:read',
      tag: 'Catalog',
      summary: 'Read a price list',
      params: addressParams,
      result: priceListSchema,
    },
    async ({ db, params }) =>
      toPriceListJson(await getPriceList(db, await resolveAddress(db, 'priceList', params.id))),
  )
  registerNewPriceList(frame)
  registerNewItems(frame)
}

const itemRefusals: readonly ErrorCode[] = [
  'currency_unknown',
  'customer_unknown',
  'date_range_invalid',
  'price_negative',
  'product_unknown',
  'quantity_invalid',
  'tiers_invalid',
]

function registerNewPriceList(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/price-lists',
      permission: 'price_lists:write',
      tag: 'Catalog',
      summary: 'Create a price list',
      body: newPriceListSchema,
      result: priceListSchema,
      status: 201,
      location: (list) => `/v1/price-lists/${list.id}`,
      refusals: [
        ...itemRefusals,
        'code_taken',
        'currency_mismatch',
        'price_list_cycle',
        'price_list_unknown',
      ],
    },
    async ({ db, body }) => toPriceListJson(await getPriceList(db, await createPriceList(db, body))),
  )
}

/** @throws what the route refuses */
export async function createPriceList(db: Db, body: z.output<typeof newPriceListSchema>): Promise<string> {
  checkCurrency(body.currency)
  const { code, name, currency } = body
  const basePriceListId = await resolveBase(db, body)
  const items = await toItems(db, body.items)
  const allowsConversion = body.allows_conversion ?? false
  return await insertPriceList(db, { code, name, currency, basePriceListId, allowsConversion, items })
}

/** @throws what the route refuses */
export async function addPriceListItems(db: Db, id: string, items: readonly ItemBody[]): Promise<void> {
  await insertPriceListItems(db, id, await toItems(db, items))
}

function registerNewItems(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/price-lists/{id}/items',
      permission: 'price_lists:write',
      tag: 'Catalog',
      summary: 'Add items to a price list',
      description:
        'Of what is sold already, lines whose price is read anew each period follow; agreed prices stay.',
      params: addressParams,
      body: newPriceListItemsSchema,
      result: priceListSchema,
      status: 201,
      location: (list) => `/v1/price-lists/${list.id}`,
      refusals: itemRefusals,
    },
    async ({ db, params, body }) => {
      const id = await resolveAddress(db, 'priceList', params.id)
      await addPriceListItems(db, id, body.items)
      return toPriceListJson(await getPriceList(db, id))
    },
  )
}

/** A list that names its own code would refer back to itself once it exists. */
async function resolveBase(
  db: Db,
  list: { code: string; currency: string; base_price_list?: string | null | undefined },
): Promise<string | null> {
  const text = list.base_price_list
  if (text == null) return null
  const pointer = '/base_price_list'
  if (text === list.code) throw fieldError(pointer, 'price_list_cycle', `${text} would refer back to itself.`)
  const id = await resolveField(db, { kind: 'priceList', text, pointer, unknown: 'price_list_unknown' })
  const { currency, archived_at: archivedAt } = await getPriceList(db, id)
  if (archivedAt !== null) throw fieldError(pointer, 'price_list_unknown', `${text} is archived.`)
  if (currency !== list.currency) {
    throw fieldError(pointer, 'currency_mismatch', `${text} is in ${currency}, not in ${list.currency}.`)
  }
  return id
}

async function toItems(db: Db, items: readonly ItemBody[]): Promise<NewPriceListItem[]> {
  const resolved: NewPriceListItem[] = []
  for (const [index, item] of items.entries()) resolved.push(await toItem(db, item, `/items/${index}`))
  return resolved
}

type ItemBody = z.output<typeof priceListItemField>

async function toItem(db: Db, item: ItemBody, pointer: string): Promise<NewPriceListItem> {
  const dates = {
    startsOn: item.starts_on ?? null,
    endsOn: item.ends_on ?? null,
    season: item.season ?? null,
  }
  inSnakeCase(() => checkItemDates(dates, pointer))
  if (item.currency != null) checkCurrency(item.currency, `${pointer}/currency`)
  return {
    customerId: await resolveCustomer(db, item.customer ?? null, `${pointer}/customer`),
    target: await toTarget(db, item, pointer),
    minimumQuantity: item.minimum_quantity,
    currency: item.currency ?? null,
    ...dates,
    pricing: toPricing(item, pointer),
  }
}

async function resolveCustomer(db: Db, text: string | null, pointer: string): Promise<string | null> {
  if (text === null) return null
  return await resolveField(db, { kind: 'customer', text, pointer, unknown: 'customer_unknown' })
}

async function toTarget(db: Db, item: ItemBody, pointer: string): Promise<ItemTarget> {
  if (item.attribute != null) return { kind: 'attribute', ...item.attribute }
  if (item.category != null) return { kind: 'category', category: item.category }
  if (item.product == null) return { kind: 'all' }
  const field = { kind: 'product', text: item.product, pointer: `${pointer}/product` } as const
  return { kind: 'product', productId: await resolveField(db, { ...field, unknown: 'product_unknown' }) }
}

/** A formula of an item for many products may name only what each of them has: its quantity. */
function toPricing(item: ItemBody, pointer: string): NewPriceListItem['pricing'] {
  if (item.unit_price != null) return { kind: 'fixed', price: perUnitPrice(item.unit_price) }
  if (item.price != null) {
    return {
      kind: 'fixed',
      price: readPrice(item.price, `${pointer}/price`, lineFormulaNames({ isRecurring: false })),
    }
  }
  if (item.discount_percent != null) return { kind: 'discount', percent: item.discount_percent }
  return { kind: 'formula', formula: camelKeys(item.formula ?? {}) as PriceFormula }
}
