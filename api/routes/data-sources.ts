import { z } from '@hono/zod-openapi'
import { removeDataSource, setDataSource } from '#db/data-source.ts'
import type { Tx } from '#db/database.ts'
import { getDataSource, listDataSources } from '#db/read/data-source.ts'
import { checkDataSource } from '#domain/data-source.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { dataSourceSchema, newDataSourceSchema, toDataSourceJson } from '../schemas/data-source.ts'

/** Databases elsewhere that metrics are read from. */
export function registerDataSources(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/data-sources',
      permission: 'data_sources:read',
      tag: 'Usage',
      summary: 'List data sources',
      query: z.strictObject(pageQuery),
      result: pageOf(dataSourceSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listDataSources(db, page), page, toDataSourceJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/data-sources',
      permission: 'data_sources:write',
      tag: 'Usage',
      summary: 'Give a database elsewhere from which metrics are read, or another one',
      description:
        'Applications name it by its code in x-clouder (external-sql, elasticsearch). It is asked by the workers of servers, at public addresses and in the ranges of CLOUDER_DATA_SOURCE_RANGES; what cannot be read is told of the metric.',
      body: newDataSourceSchema,
      result: dataSourceSchema,
      status: 201,
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      const id = await keepDataSource(frame, tx, body, { actor: principal.name, now })
      return toDataSourceJson(await getDataSource(tx, id))
    },
  )
  frame.route(
    {
      method: 'delete',
      path: '/v1/data-sources/{id}',
      permission: 'data_sources:write',
      tag: 'Usage',
      summary: 'Forget a data source that no application names',
      params: addressParams,
      result: z.null(),
      status: 204,
      refusals: ['in_use'],
    },
    async ({ db, transaction, params, principal }) => {
      const id = await resolveAddress(db, 'dataSource', params.id)
      await removeDataSource(transaction(), id, principal.name)
      return null
    },
  )
}

/** @throws what `checkDataSource` refuses */
export async function keepDataSource(
  { deps }: Frame,
  tx: Tx,
  body: z.output<typeof newDataSourceSchema>,
  by: { actor: string; now: string },
): Promise<string> {
  const { database = null, tls: hasTls, certificate_authority: certificateAuthority = null, ...said } = body
  const source = { ...said, database, hasTls, certificateAuthority }
  checkDataSource(source)
  return await setDataSource(tx, deps.installationKey, source, by)
}
