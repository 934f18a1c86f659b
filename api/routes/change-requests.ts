import { z } from '@hono/zod-openapi'
import { refuseChangeRequest } from '#db/change-decision.ts'
import { getChangeRequest, listChangeRequests } from '#db/read/change-request.ts'
import { changeRequestStates } from '#domain/change-request.ts'
import { resolveAddress } from '../addressing.ts'
import { applyChangeRequest, askForChange } from '../change-requests.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import {
  changeRefusalSchema,
  changeRequestSchema,
  newChangeRequestSchema,
  toChangeRequestJson,
} from '../schemas/change-request.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { nothingSchema } from '../schemas/subscription.ts'
import { findSubscriptionFilter } from './builds.ts'
import { changeRefusals } from './subscription-actions.ts'

/** What customers ask for. To ask needs a right of its own: who may ask may not decide. */
export function registerChangeRequests(frame: Frame): void {
  registerReading(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/subscriptions/{id}/change-requests',
      permission: 'change_requests:write',
      tag: 'Change requests',
      summary: 'Ask for a change of a line, for the customer',
      description:
        'By the upgrade mode of the line, the change is carried out at once, or waits as a task until an operator applies or refuses it.',
      params: idParams,
      body: newChangeRequestSchema,
      result: changeRequestSchema,
      status: 201,
      location: (request) => `/v1/change-requests/${request.id}`,
      effect: 'command',
      refusals: [...changeRefusals, 'change_requested_already', 'tax_answer_missing', 'tax_rate_missing'],
    },
    async ({ db, params, body, principal, commandId, isRepeat, now }) => {
      const subscriptionId = await resolveAddress(db, 'subscription', params.id)
      const asking = { subscriptionId, body, actor: principal.name, commandId, isRepeat, now }
      return toChangeRequestJson(await getChangeRequest(db, await askForChange(frame.deps, asking)))
    },
  )
  registerDecisions(frame)
}

function registerReading(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/change-requests',
      permission: 'change_requests:read',
      tag: 'Change requests',
      summary: 'List what customers asked for',
      query: z.strictObject({
        ...pageQuery,
        state: z.enum(changeRequestStates).optional(),
        subscription: addressField.optional(),
      }),
      result: pageOf(changeRequestSchema),
      refusals: ['subscription_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      const filter = { state: query.state ?? null, subscriptionId }
      return toPage(await listChangeRequests(db, { ...page, ...filter }), page, toChangeRequestJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/change-requests/{id}',
      permission: 'change_requests:read',
      tag: 'Change requests',
      summary: 'Read what a customer asked for, and what became of it',
      params: idParams,
      result: changeRequestSchema,
    },
    async ({ db, params }) =>
      toChangeRequestJson(await getChangeRequest(db, await resolveAddress(db, 'changeRequest', params.id))),
  )
}

function registerDecisions(frame: Frame): void {
  const decision = {
    method: 'post',
    permission: 'subscriptions:write',
    tag: 'Change requests',
    params: idParams,
    result: changeRequestSchema,
  } as const
  frame.route(
    {
      ...decision,
      path: '/v1/change-requests/{id}/apply',
      summary: 'Apply what a customer asked for; its task is done',
      body: nothingSchema,
      effect: 'command',
      refusals: [...changeRefusals, 'change_request_decided'],
    },
    async ({ db, params, principal, commandId, isRepeat }) => {
      const id = await resolveAddress(db, 'changeRequest', params.id)
      await applyChangeRequest(frame.deps, id, { actor: principal.name, commandId, isRepeat })
      return toChangeRequestJson(await getChangeRequest(db, id))
    },
  )
  frame.route(
    {
      ...decision,
      path: '/v1/change-requests/{id}/refuse',
      summary: 'Refuse what a customer asked for, and say why',
      body: changeRefusalSchema,
      refusals: ['change_request_decided'],
    },
    async ({ db, transaction, params, body, principal, now }) => {
      const id = await resolveAddress(db, 'changeRequest', params.id)
      await refuseChangeRequest(transaction(), id, { actor: principal.name, reason: body.reason, now })
      return toChangeRequestJson(await getChangeRequest(db, id))
    },
  )
}
