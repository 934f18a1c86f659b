import { z } from '@hono/zod-openapi'
import { insertPriceList, type NewPriceList } from '#db/price-list.ts'
import { getPriceList, listPriceLists } from '#db/read/price-list.ts'
import type { Db } from '#db/database.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import { newPriceListSchema, priceListSchema, toPriceListJson } from '../schemas/price-list.ts'

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
      refusals: ['code_taken', 'currency_unknown', 'date_range_invalid', 'price_negative', 'product_unknown'],
    },
    async ({ db, body }) => {
      checkCurrency(body.currency)
      const items: NewPriceList['items'][number][] = []
      for (const [index, item] of body.items.entries())
        items.push(await toItem(db, item, `/items/${index}/product`))
      return toPriceListJson(await getPriceList(db, await insertPriceList(db, { ...body, items })))
    },
  )
}

async function toItem(
  db: Db,
  item: z.output<typeof newPriceListSchema>['items'][number],
  pointer: string,
): Promise<NewPriceList['items'][number]> {
  return {
    productId:
      item.product == null
        ? null
        : await resolveField(db, {
            kind: 'product',
            text: item.product,
            pointer,
            unknown: 'product_unknown',
          }),
    minimumQuantity: item.minimum_quantity,
    unitPrice: item.unit_price ?? null,
    discountPercent: item.discount_percent ?? null,
    startsOn: item.starts_on ?? null,
    endsOn: item.ends_on ?? null,
  }
}
