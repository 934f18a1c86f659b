import {
  findUsageWindow,
  listWindowDays,
  listWindowEvents,
  listWindowReadings,
  type OpenedWindow,
} from '#db/read/usage-window.ts'
import type { Db } from '#db/database.ts'
import { BusinessError } from '#domain/errors.ts'
import { readAddressed } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import {
  dayQuery,
  toUsageWindowJson,
  toWindowEventJson,
  toWindowReadingJson,
  usageWindowSchema,
  windowEventsSchema,
  windowReadingsSchema,
} from '../schemas/usage-window.ts'

/** What a billed quantity is made of. */
export function registerUsageWindows(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/usage-windows/{id}',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'Open a billed quantity: its window, and the days of which it is made',
      params: idParams,
      result: usageWindowSchema,
    },
    async ({ db, params }) => {
      const window = await getUsageWindow(db, params.id)
      return toUsageWindowJson(window, await listWindowDays(db, window))
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/usage-windows/{id}/readings',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'List the readings of a billed quantity: of a day, or the first 20,000 of all',
      params: idParams,
      query: dayQuery,
      result: windowReadingsSchema,
    },
    async ({ db, params, query }) => {
      const rows = await listWindowReadings(db, await getUsageWindow(db, params.id), query.on)
      return { data: rows.map(toWindowReadingJson) }
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/usage-windows/{id}/events',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'List the usage events of a billed quantity: of a day, or the first 20,000 of all',
      params: idParams,
      query: dayQuery,
      result: windowEventsSchema,
    },
    async ({ db, params, query }) => {
      const rows = await listWindowEvents(db, await getUsageWindow(db, params.id), query.on)
      return { data: rows.map(toWindowEventJson) }
    },
  )
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function getUsageWindow(db: Db, text: string): Promise<OpenedWindow> {
  const found = await readAddressed(db, { kind: 'usageWindow', text }, async (id) => findUsageWindow(db, id))
  if (found === null) throw new BusinessError('not_found', `There is no usage window ${text}.`)
  return found
}
