import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { getWebhook, listWebhooks } from '#db/read/webhook.ts'
import {
  changeWebhook,
  deleteWebhook,
  disableByHand,
  enableWebhook,
  insertWebhook,
  rotateSecret,
  type By,
  type WebhookFacts,
} from '#db/webhook.ts'
import { atField, fieldError } from '#domain/errors.ts'
import { checkWebhookUrl, webhookRule } from '#domain/webhook.ts'
import { resolveAddress } from '../addressing.ts'
import { eventKinds } from '../pages/event-text.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import {
  newWebhookSchema,
  toWebhookJson,
  webhookChangeSchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '../schemas/webhook.ts'

const path = '/v1/webhooks'
const tag = 'Webhooks'

/** Where events are posted to. */
export function registerWebhooks(frame: Frame): void {
  registerReading(frame)
  registerMaking(frame)
  registerChanging(frame)
  registerCommands(frame)
}

function registerReading(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path,
      permission: 'webhooks:read',
      tag,
      summary: 'List webhooks, with what waits for each',
      query: z.strictObject(pageQuery),
      result: pageOf(webhookSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listWebhooks(db, page), page, toWebhookJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: `${path}/{id}`,
      permission: 'webhooks:read',
      tag,
      summary: 'Read a webhook',
      params: idParams,
      result: webhookSchema,
    },
    async ({ db, params }) =>
      toWebhookJson(await getWebhook(db, await resolveAddress(db, 'webhook', params.id))),
  )
}

function registerMaking(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path,
      permission: 'webhooks:write',
      tag,
      summary: 'Have events posted to an address',
      description:
        'Each event is posted as GET /v1/events shows it, signed after the Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature. What is not taken (2xx) is posted again, with growing waits, for five days. The secret is in this answer only, which is kept nowhere.',
      body: newWebhookSchema,
      result: webhookWithSecretSchema,
      status: 201,
      effect: 'unkept',
      refusals: ['webhook_url_refused'],
    },
    async ({ db, body, principal, now }) =>
      await db.transaction().execute(async (tx) => {
        const { id, secret } = await makeWebhook(frame, tx, body, { actor: principal.name, now })
        return { ...toWebhookJson(await getWebhook(tx, id)), secret }
      }),
  )
  frame.route(
    {
      method: 'post',
      path: `${path}/{id}/rotate-secret`,
      permission: 'webhooks:write',
      tag,
      summary: 'Give a webhook another secret',
      description:
        'For a day messages are signed by both: webhook-signature has two signatures. The secret is in this answer only, which is kept nowhere.',
      params: idParams,
      result: webhookWithSecretSchema,
      effect: 'unkept',
    },
    async ({ db, params, principal, now }) =>
      await db.transaction().execute(async (tx) => {
        const id = await resolveAddress(tx, 'webhook', params.id)
        const secret = await rotateSecret(tx, frame.deps.installationKey, id, { actor: principal.name, now })
        return { ...toWebhookJson(await getWebhook(tx, id)), secret }
      }),
  )
}

/** @throws `webhook_url_refused`, `field_invalid` */
export async function makeWebhook(
  { deps }: Frame,
  tx: Tx,
  body: WebhookFacts,
  by: By,
): Promise<{ id: string; secret: string }> {
  const facts = checkFacts(deps, body)
  return await insertWebhook(tx, deps.installationKey, facts, by)
}

function checkFacts<Facts extends Partial<WebhookFacts>>(deps: Frame['deps'], facts: Facts): Facts {
  for (const [index, kind] of (facts.kinds ?? []).entries())
    if (!eventKinds.some((known) => known === kind || `${known.split('.')[0]}.*` === kind))
      throw fieldError(
        `/kinds/${index}`,
        'field_invalid',
        `There are no events ${kind}. Kinds look like invoice.finalized, or limit.* for all of limits.`,
      )
  const { url } = facts
  if (url === undefined) return facts
  return { ...facts, url: atField('/url', () => checkWebhookUrl(url, webhookRule(deps))) }
}

function registerChanging(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: `${path}/{id}`,
      permission: 'webhooks:write',
      tag,
      summary: 'Change a webhook',
      description: 'What waits goes to the new address. Which kinds are posted holds for events from now on.',
      params: idParams,
      body: webhookChangeSchema,
      result: webhookSchema,
      refusals: ['webhook_url_refused'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'webhook', params.id)
      const said = Object.entries(body).filter(([, value]) => value !== undefined)
      const change = checkFacts(frame.deps, Object.fromEntries(said) as Partial<WebhookFacts>)
      await changeWebhook(tx, id, change, { actor: principal.name, now })
      return toWebhookJson(await getWebhook(tx, id))
    },
  )
  frame.route(
    {
      method: 'delete',
      path: `${path}/{id}`,
      permission: 'webhooks:write',
      tag,
      summary: 'Delete a webhook, with its secrets and its log',
      params: idParams,
      result: z.null(),
      status: 204,
    },
    async ({ db, transaction, params, principal, now }) => {
      const id = await resolveAddress(db, 'webhook', params.id)
      await deleteWebhook(transaction(), id, { actor: principal.name, now })
      return null
    },
  )
}

/** What a person decides of a webhook. */
const commands = {
  enable: {
    act: enableWebhook,
    summary: 'Enable a webhook: what waits is posted at once',
  },
  disable: {
    act: disableByHand,
    summary: 'Disable a webhook: what comes waits, for thirty days',
  },
} as const

export type WebhookCommand = keyof typeof commands

function registerCommands(frame: Frame): void {
  for (const command of ['enable', 'disable'] as const)
    frame.route(
      {
        method: 'post',
        path: `${path}/{id}/${command}`,
        permission: 'webhooks:write',
        tag,
        summary: commands[command].summary,
        params: idParams,
        result: webhookSchema,
        refusals: ['action_not_allowed'],
      },
      async ({ transaction, params, principal, now }) => {
        const tx = transaction()
        const id = await commandWebhook(tx, params.id, command, { actor: principal.name, now })
        return toWebhookJson(await getWebhook(tx, id))
      },
    )
}

/** @throws `not_found`, `action_not_allowed` */
export async function commandWebhook(
  tx: Tx,
  address: string,
  command: WebhookCommand,
  by: By,
): Promise<string> {
  const id = await resolveAddress(tx, 'webhook', address)
  await commands[command].act(tx, id, by)
  return id
}
