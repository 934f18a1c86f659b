import type { Db } from '#db/database.ts'
import { readPriceGrids, savePriceGrid } from '#db/price-grid.ts'
import { getInstallation } from '#db/read/installation.ts'
import { getInstance } from '#db/read/instance.ts'
import { getSubscription } from '#db/subscription.ts'
import { dateIn } from '#domain/calendar.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { addressParams, idParams } from '../schemas/common.ts'
import { checkCurrency } from '../schemas/currency.ts'
import {
  newApplicationGridSchema,
  newInstanceGridSchema,
  priceGridsSchema,
  toGridPrice,
  toPriceGridsJson,
} from '../schemas/price-grid.ts'

const refusals: readonly ErrorCode[] = ['grid_bounds_unstated', 'price_negative', 'tiers_invalid']
const whom = 'It prices lines of products with pricing grid, from the next period on'

/** What instances cost by a grid: that of their application, or one of their own. */
export function registerPriceGrids(frame: Frame): void {
  registerApplicationGrids(frame)
  registerInstanceGrids(frame)
}

function registerApplicationGrids(frame: Frame): void {
  const path = '/v1/applications/{id}/price-grids'
  frame.route(
    {
      method: 'get',
      path,
      permission: 'applications:read',
      tag: 'Catalog',
      summary: 'List the price grids of an application, oldest first',
      params: addressParams,
      result: priceGridsSchema,
    },
    async ({ db, params }) => await listOfApplication(db, await resolveAddress(db, 'application', params.id)),
  )
  frame.route(
    {
      method: 'post',
      path,
      permission: 'applications:write',
      tag: 'Catalog',
      summary: 'Give an application a price grid',
      description: `${whom}, but for instances that have a grid of their own.`,
      params: addressParams,
      body: newApplicationGridSchema,
      result: priceGridsSchema,
      refusals: [...refusals, 'currency_unknown'],
    },
    async ({ db, params, body, now }) => {
      const applicationId = await resolveAddress(db, 'application', params.id)
      checkCurrency(body.currency, '/currency')
      const { timeZone } = await getInstallation(db)
      const startsOn = body.starts_on ?? dateIn(timeZone, now)
      const grid = { currency: body.currency, startsOn, price: toGridPrice(body) }
      await savePriceGrid(db, { applicationId, instanceId: null }, grid)
      return await listOfApplication(db, applicationId)
    },
  )
}

function registerInstanceGrids(frame: Frame): void {
  const path = '/v1/instances/{id}/price-grids'
  frame.route(
    {
      method: 'get',
      path,
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'List the price grids that an instance has for itself, oldest first',
      params: idParams,
      result: priceGridsSchema,
    },
    async ({ db, params }) => await listOfInstance(db, await resolveAddress(db, 'instance', params.id)),
  )
  frame.route(
    {
      method: 'post',
      path,
      permission: 'instances:write',
      tag: 'Servers',
      summary: 'Give an instance a price grid of its own',
      description: `${whom}, in place of its application’s. No other instance is touched.`,
      params: idParams,
      body: newInstanceGridSchema,
      result: priceGridsSchema,
      refusals,
    },
    async ({ db, params, body, now }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const { subscription_id: subscriptionId } = await getInstance(db, instanceId)
      const subscription = await getSubscription(db, subscriptionId)
      const today = dateIn(subscription.time_zone, subscription.test_clock_now_at ?? now)
      const startsOn = body.starts_on ?? today
      const grid = { currency: subscription.currency, startsOn, price: toGridPrice(body) }
      await savePriceGrid(db, { applicationId: null, instanceId }, grid)
      return await listOfInstance(db, instanceId)
    },
  )
}

async function listOfApplication(db: Db, applicationId: string) {
  return toPriceGridsJson(await readPriceGrids(db, { applicationIds: [applicationId], instanceIds: [] }))
}

async function listOfInstance(db: Db, instanceId: string) {
  return toPriceGridsJson(await readPriceGrids(db, { applicationIds: [], instanceIds: [instanceId] }))
}
