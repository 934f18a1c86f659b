import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { getTaxRate, listTaxRatePage } from '#db/read/tax-rate.ts'
import { endTaxRate, insertTaxRate } from '#db/tax-rate.ts'
import { fieldError } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import { newTaxRateSchema, taxRateChangeSchema, taxRateSchema, toTaxRateJson } from '../schemas/tax-rate.ts'

export function registerTaxRates(frame: Frame): void {
  registerTaxRateReads(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/tax-rates',
      permission: 'tax_rates:write',
      tag: 'Seller',
      summary: 'Create a tax rate',
      body: newTaxRateSchema,
      result: taxRateSchema,
      status: 201,
      location: (rate) => `/v1/tax-rates/${rate.id}`,
      refusals: ['date_range_invalid', 'tax_rate_overlaps'],
    },
    async ({ db, body }) => toTaxRateJson(await getTaxRate(db, await createTaxRate(db, body))),
  )
  frame.route(
    {
      method: 'patch',
      path: '/v1/tax-rates/{id}',
      permission: 'tax_rates:write',
      tag: 'Seller',
      summary: 'Let a tax rate end',
      description: 'Documents that were made before keep the rate that they were made with.',
      params: idParams,
      body: taxRateChangeSchema,
      result: taxRateSchema,
      refusals: ['date_range_invalid', 'tax_rate_overlaps'],
    },
    async ({ db, params, body }) => {
      const id = await resolveAddress(db, 'taxRate', params.id)
      await letTaxRateEnd(db, id, body.ends_on)
      return toTaxRateJson(await getTaxRate(db, id))
    },
  )
}

/** @throws `tax_rate_overlaps` */
export async function createTaxRate(db: Db, body: z.output<typeof newTaxRateSchema>): Promise<string> {
  return await insertTaxRate(db, {
    country: body.country,
    region: body.region ?? null,
    category: body.category,
    name: body.name,
    ratePercent: body.rate_percent,
    startsOn: body.starts_on ?? null,
    endsOn: body.ends_on ?? null,
  })
}

/** @throws `date_range_invalid`, `tax_rate_overlaps` */
export async function letTaxRateEnd(db: Db, id: string, endsOn: string | null): Promise<void> {
  const { starts_on: startsOn } = await getTaxRate(db, id)
  if (startsOn !== null && endsOn !== null && endsOn <= startsOn) {
    throw fieldError('/ends_on', 'date_range_invalid', `It starts on ${startsOn}; it must end after it.`)
  }
  await endTaxRate(db, { id, startsOn, endsOn })
}

function registerTaxRateReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/tax-rates',
      permission: 'tax_rates:read',
      tag: 'Seller',
      summary: 'List tax rates',
      query: z.strictObject(pageQuery),
      result: pageOf(taxRateSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listTaxRatePage(db, page), page, toTaxRateJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/tax-rates/{id}',
      permission: 'tax_rates:read',
      tag: 'Seller',
      summary: 'Read a tax rate',
      params: idParams,
      result: taxRateSchema,
    },
    async ({ db, params }) =>
      toTaxRateJson(await getTaxRate(db, await resolveAddress(db, 'taxRate', params.id))),
  )
}
