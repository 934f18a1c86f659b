import { z } from '@hono/zod-openapi'
import { saveApplication } from '#db/application.ts'
import type { Db } from '#db/database.ts'
import { getApplication, listApplications } from '#db/read/application.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { resolveAddress } from '../addressing.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { Frame } from '../frame.ts'
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
      description: 'Instances that were built stay on their version. The same file again changes nothing.',
      body: newApplicationSchema,
      result: applicationSchema,
      status: 201,
      location: (application) => `/v1/applications/${application.id}`,
      refusals: ['application_refused'],
    },
    async ({ db, body }) => {
      const id = await createApplication(db, frame.deps, body)
      return toApplicationJson(await getApplication(db, id))
    },
  )
}

/** The application, or a new version of it. @throws `application_refused` */
export async function createApplication(
  db: Db,
  deps: ApiDependencies,
  body: { compose: string; code: string },
): Promise<string> {
  const definition = await readCompose(deps, body)
  const { id } = await saveApplication(db, { compose: body.compose, definition })
  return id
}

/** Whatever the file is refused for, the field that holds it is named. */
async function readCompose(deps: ApiDependencies, body: { compose: string; code: string }) {
  try {
    return await deps.readApplication(body.compose, body.code)
  } catch (error) {
    if (error instanceof BusinessError) throw fieldError('/compose', error.code, error.message)
    throw error
  }
}
