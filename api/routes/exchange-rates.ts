import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { insertExchangeRate } from '#db/exchange-rate.ts'
import { getExchangeRateRow, listExchangeRatePage } from '#db/read/exchange-rate.ts'
import { atField } from '#domain/errors.ts'
import { currencyExponent } from '#domain/money.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { exchangeRateSchema, newExchangeRateSchema, toExchangeRateJson } from '../schemas/exchange-rate.ts'

export function registerExchangeRates(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/exchange-rates',
      permission: 'exchange_rates:read',
      tag: 'Seller',
      summary: 'List exchange rates',
      query: z.strictObject(pageQuery),
      result: pageOf(exchangeRateSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listExchangeRatePage(db, page), page, toExchangeRateJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/exchange-rates/{id}',
      permission: 'exchange_rates:read',
      tag: 'Seller',
      summary: 'Read an exchange rate',
      params: idParams,
      result: exchangeRateSchema,
    },
    async ({ db, params }) =>
      toExchangeRateJson(await getExchangeRateRow(db, await resolveAddress(db, 'exchangeRate', params.id))),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/exchange-rates',
      permission: 'exchange_rates:write',
      tag: 'Seller',
      summary: 'Record an exchange rate',
      description:
        'Of one pair and day the rate that was recorded last holds. Documents that were made before keep the rate that they were made with.',
      body: newExchangeRateSchema,
      result: exchangeRateSchema,
      status: 201,
      location: (rate) => `/v1/exchange-rates/${rate.id}`,
      refusals: ['currency_unknown'],
    },
    async ({ db, body }) =>
      toExchangeRateJson(await getExchangeRateRow(db, await recordExchangeRate(db, body))),
  )
}

/** @throws `currency_unknown` */
export async function recordExchangeRate(
  db: Db,
  body: z.output<typeof newExchangeRateSchema>,
): Promise<string> {
  for (const field of ['base', 'quote'] as const) atField(`/${field}`, () => currencyExponent(body[field]))
  const { base, quote, rate, source, valid_on: validOn } = body
  return await insertExchangeRate(db, { base, quote, rate, source, validOn })
}
