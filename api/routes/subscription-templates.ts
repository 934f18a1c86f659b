import { z } from '@hono/zod-openapi'
import { changeTemplate, getTemplate, insertTemplate, listTemplates } from '#db/subscription-template.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import {
  newTemplateSchema,
  templateChangeSchema,
  templateSchema,
  toDefaults,
  toTemplateJson,
} from '../schemas/subscription-template.ts'

const path = '/v1/subscription-templates'
const one = `${path}/{id}` as const

/** Named defaults of subscriptions. An order line names one; its own words win. */
export function registerSubscriptionTemplates(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path,
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'List the templates of subscriptions, by code',
      result: z.object({ data: z.array(templateSchema) }),
    },
    async ({ db }) => ({ data: (await listTemplates(db)).map(toTemplateJson) }),
  )
  frame.route(
    {
      method: 'get',
      path: one,
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'Read a template of subscriptions',
      params: idParams,
      result: templateSchema,
    },
    async ({ db, params }) =>
      toTemplateJson(await getTemplate(db, await resolveAddress(db, 'subscriptionTemplate', params.id))),
  )
  frame.route(
    {
      method: 'post',
      path,
      permission: 'products:write',
      tag: 'Catalog',
      summary: 'Name defaults of subscriptions',
      body: newTemplateSchema,
      result: templateSchema,
      status: 201,
      location: (template) => `${path}/${template.id}`,
      refusals: ['code_taken', 'recurrence_invalid'],
    },
    async ({ db, transaction, body }) => {
      const { code, name, ...defaults } = body
      const id = await insertTemplate(transaction(), { code, name, defaults: toDefaults(defaults) })
      return toTemplateJson(await getTemplate(db, id))
    },
  )
  frame.route(
    {
      method: 'patch',
      path: one,
      permission: 'products:write',
      tag: 'Catalog',
      summary: 'Change a template, for orders from now on',
      params: idParams,
      body: templateChangeSchema,
      result: templateSchema,
      refusals: ['recurrence_invalid'],
    },
    async ({ db, transaction, params, body }) => {
      const row = await getTemplate(db, await resolveAddress(db, 'subscriptionTemplate', params.id))
      const { name = row.name, ...change } = body
      const defaults = { ...row.defaults, ...toDefaults(change) }
      await changeTemplate(transaction(), row.id, { name, defaults })
      return toTemplateJson({ ...row, name, defaults })
    },
  )
}
