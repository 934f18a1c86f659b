import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { getMetric, listMetricPage } from '#db/read/shared-metric.ts'
import { insertSharedMetric, retitleMetric } from '#db/shared-metric.ts'
import { checkSharedMetric } from '#domain/shared-metric.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import {
  metricSchema,
  metricTitleSchema,
  newMetricSchema,
  toMetricJson,
  toNewMetric,
} from '../schemas/metric.ts'

/** What is measured, defined once for any number of applications and products (D-01). */
export function registerMetrics(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/metrics',
      permission: 'metrics:read',
      tag: 'Catalog',
      summary: 'List shared metrics',
      query: z.strictObject(pageQuery),
      result: pageOf(metricSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listMetricPage(db, page), page, toMetricJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/metrics/{id}',
      permission: 'metrics:read',
      tag: 'Catalog',
      summary: 'Read a shared metric',
      params: addressParams,
      result: metricSchema,
    },
    async ({ db, params }) =>
      toMetricJson(await getMetric(db, await resolveAddress(db, 'metric', params.id))),
  )
  registerDefinition(frame)
}

function registerDefinition(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/metrics',
      permission: 'metrics:write',
      tag: 'Catalog',
      summary: 'Define a metric for all applications',
      description:
        'Applications name it in x-clouder as metric: with its code, each with its own source; products name what is pushed. What a code measures never changes: archive it, and define another one.',
      body: newMetricSchema,
      result: metricSchema,
      status: 201,
      location: (metric) => `/v1/metrics/${metric.id}`,
      refusals: ['code_taken', 'unit_unknown'],
    },
    async ({ transaction, body }) => {
      const tx = transaction()
      return toMetricJson(await getMetric(tx, await createMetric(tx, body)))
    },
  )
  frame.route(
    {
      method: 'patch',
      path: '/v1/metrics/{id}',
      permission: 'metrics:write',
      tag: 'Catalog',
      summary: 'Give a shared metric another title',
      description: 'Applications have it with their next version. What is measured and billed stays.',
      params: addressParams,
      body: metricTitleSchema,
      result: metricSchema,
    },
    async ({ db, transaction, params, body }) => {
      const id = await resolveAddress(db, 'metric', params.id)
      await retitleMetric(transaction(), id, body.title)
      return toMetricJson(await getMetric(transaction(), id))
    },
  )
}

/** @throws `code_taken`, and what `checkSharedMetric` refuses */
export async function createMetric(tx: Db, body: z.output<typeof newMetricSchema>): Promise<string> {
  const metric = toNewMetric(body)
  checkSharedMetric(metric)
  return await insertSharedMetric(tx, metric)
}
