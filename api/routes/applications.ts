import { z } from '@hono/zod-openapi'
import { saveApplication } from '#db/application.ts'
import { grantPermissions, listGrants } from '#db/application-permission.ts'
import { findUnknownDataSources } from '#db/data-source.ts'
import type { Db } from '#db/database.ts'
import { findIdByCode } from '#db/read/address.ts'
import { getApplication, listApplications, type ApplicationRow } from '#db/read/application.ts'
import { listSharedMetrics, refuseArchivedMetrics } from '#db/shared-metric.ts'
import { dataSourcesOf, type ApplicationDefinition } from '#domain/application.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { SharedMetric } from '#domain/shared-metric.ts'
import { resolveAddress } from '../addressing.ts'
import { authorize, type Principal } from '../authentication.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { Frame } from '../frame.ts'
import { grantToApplications } from '../permission.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { applicationSchema, newApplicationSchema, toApplicationJson } from '../schemas/application.ts'
import { addressParams } from '../schemas/common.ts'

export function registerApplications(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/applications',
      permission: 'applications:read',
      tag: 'Catalog',
      summary: 'List applications',
      query: z.strictObject(pageQuery),
      result: pageOf(applicationSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listApplications(db, page), page, toApplicationJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/applications/{id}',
      permission: 'applications:read',
      tag: 'Catalog',
      summary: 'Read an application',
      params: addressParams,
      result: applicationSchema,
    },
    async ({ db, params }) =>
      toApplicationJson(await getApplication(db, await resolveAddress(db, 'application', params.id))),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/applications',
      permission: 'applications:write',
      tag: 'Catalog',
      summary: 'Save an application, or a new version of it',
      description: `Instances that were built stay on their version. The same file again changes nothing. To grant permissions, a key needs the scope ${grantToApplications}.`,
      body: newApplicationSchema,
      result: applicationSchema,
      status: 201,
      location: (application) => `/v1/applications/${application.id}`,
      // Who reads the file is a process of its own, and may be slow: no transaction stays open for it.
      effect: 'command',
      refusals: ['application_refused', 'data_source_unknown', 'metric_archived'],
    },
    async ({ db, body, principal }) => {
      const definition = await readNewApplication(db, { deps: frame.deps, body, principal })
      return await db.transaction().execute(async (tx) => {
        const held = await findIdByCode(tx, 'application', body.code)
        const named = held === undefined ? [] : sharedOf(await getApplication(tx, held))
        const application = await getApplication(
          tx,
          await keepApplication(tx, { body, definition, principal }),
        )
        const anew = sharedOf(application).filter((code) => !named.includes(code))
        await refuseArchivedMetrics(tx, anew, '/compose')
        return toApplicationJson(application)
      })
    },
  )
}

/** Codes of the shared metrics that it names. */
function sharedOf({ definition }: ApplicationRow): string[] {
  return definition.metrics.filter(({ isShared }) => isShared).map(({ code }) => code)
}

/**
 * What its file says, read with what was granted to the application before, and is granted now.
 * @param of `sharedMetrics`: left out, those that are defined
 * @throws `application_refused`, `scope_missing`
 */
export async function readNewApplication(
  db: Db,
  of: {
    deps: ApiDependencies
    body: NewApplication
    principal: Principal
    sharedMetrics?: readonly SharedMetric[]
  },
): Promise<ApplicationDefinition> {
  const { deps, body, principal } = of
  authorizeGrants(principal, body)
  const granted = await listGrants(db, body.code)
  const grants = [...granted, ...body.permissions].map((grant) => grant.permission)
  const sharedMetrics = of.sharedMetrics ?? (await listSharedMetrics(db))
  try {
    const { code, compose, files } = body
    return await deps.readApplication({ code, compose, files, grants, sharedMetrics })
  } catch (error) {
    // Whatever the file is refused for, the field that holds it is named.
    if (error instanceof BusinessError) throw fieldError('/compose', error.code, error.message)
    throw error
  }
}

export type NewApplication = z.output<typeof newApplicationSchema>

/** @throws `scope_missing` */
function authorizeGrants(principal: Principal, { permissions }: NewApplication): void {
  if (permissions.length > 0) authorize(principal, grantToApplications)
}

/**
 * Keeps an application, or a new version of it, with what is granted to it. The same file again changes nothing, nor does a permission that is granted already.
 * @throws `data_source_unknown`
 */
export async function keepApplication(
  tx: Db,
  of: { body: NewApplication; definition: ApplicationDefinition; principal: Principal },
): Promise<string> {
  const { body, definition, principal } = of
  const [unknown] = await findUnknownDataSources(tx, dataSourcesOf(definition))
  if (unknown !== undefined)
    throw fieldError('/compose', 'data_source_unknown', `There is no data source ${unknown}.`)
  const { id } = await saveApplication(tx, { compose: body.compose, definition, files: body.files })
  await grantPermissions(tx, { id, code: body.code }, body.permissions, principal.name)
  return id
}
