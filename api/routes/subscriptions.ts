import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { setExternalId } from '#db/external-id.ts'
import { listDeployments } from '#db/read/deployer.ts'
import { findQueuePlace } from '#db/read/build-queue.ts'
import { listBuildsOf } from '#db/read/build.ts'
import { listInstancesOf } from '#db/read/instance.ts'
import { findSubscription, listSubscriptionLines, listSubscriptions } from '#db/read/subscription.ts'
import { listWaitingChanges } from '#db/read/waiting-change.ts'
import { labelSubscription } from '#db/subscription.ts'
import { listSuspensions } from '#db/suspension.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { subscriptionPhases } from '#domain/subscription.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { toBuildJson } from '../schemas/build.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { toDeploymentJson } from '../schemas/deployer.ts'
import { toInstanceJson } from '../schemas/instance.ts'
import {
  allowedActions,
  subscriptionChangeSchema,
  subscriptionDetailSchema,
  subscriptionSchema,
  tagField,
  toSubscriptionJson,
  toSubscriptionLineJson,
  toWorkflowJson,
} from '../schemas/subscription.ts'
import { toWaitingChangeJson } from '../schemas/waiting-change.ts'

const listQuery = z.strictObject({
  ...pageQuery,
  phase: z.enum(subscriptionPhases).optional(),
  customer: addressField.optional(),
  product: addressField.optional(),
  kit: addressField.optional(),
  tag: tagField.optional(),
  limited: z
    .stringbool()
    .optional()
    .openapi({ type: 'boolean', description: 'Whether a limit is reached and held.' }),
  parked: z.stringbool().optional().openapi({ type: 'boolean' }),
  ended: z.stringbool().optional().openapi({ type: 'boolean' }),
  billed_elsewhere: z.stringbool().optional().openapi({ type: 'boolean' }),
})

export function registerSubscriptions(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions',
      permission: 'subscriptions:read',
      tag: 'Subscriptions',
      summary: 'List subscriptions',
      query: listQuery,
      result: pageOf(subscriptionSchema),
      refusals: ['customer_unknown', 'product_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(
        await listSubscriptions(db, { ...page, ...(await toFilter(db, query)) }),
        page,
        toSubscriptionJson,
      )
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}',
      permission: 'subscriptions:read',
      tag: 'Subscriptions',
      summary: 'Read a subscription',
      params: idParams,
      result: subscriptionDetailSchema,
    },
    async ({ db, params }) =>
      await readSubscriptionDetail(db, await resolveAddress(db, 'subscription', params.id), frame.deps),
  )
  frame.route(
    {
      method: 'patch',
      path: '/v1/subscriptions/{id}',
      permission: 'subscriptions:write',
      tag: 'Subscriptions',
      summary: 'Tag a subscription, keep notes on it, or change by which id another system knows it',
      params: idParams,
      body: subscriptionChangeSchema,
      result: subscriptionDetailSchema,
      refusals: ['external_id_taken'],
    },
    async ({ db, transaction, params, body }) => {
      const id = await resolveAddress(db, 'subscription', params.id)
      await labelSubscription(transaction(), id, body)
      await setExternalId(db, 'subscription', { id, externalId: body.external_id })
      return await readSubscriptionDetail(db, id, frame.deps)
    },
  )
}

async function toFilter(db: Db, query: z.output<typeof listQuery>) {
  const find = async (kind: 'customer' | 'product' | 'kit', text: string | undefined) =>
    text === undefined
      ? null
      : await resolveField(db, {
          kind,
          text,
          pointer: `?${kind}`,
          unknown: kind === 'customer' ? 'customer_unknown' : 'product_unknown',
        })
  return {
    phase: query.phase ?? null,
    customerId: await find('customer', query.customer),
    productId: await find('product', query.product),
    kitId: await find('kit', query.kit),
    isParked: query.parked ?? null,
    tag: query.tag ?? null,
    isLimited: query.limited ?? null,
    isEnded: query.ended ?? null,
    isBilledElsewhere: query.billed_elsewhere ?? null,
  }
}

/** A subscription with all that belongs to it, in eight queries whatever it has. @throws `not_found` */
export async function readSubscriptionDetail(
  db: Db,
  id: string,
  deps: Pick<ApiDependencies, 'temporalUiUrl' | 'temporalNamespace'>,
): Promise<z.input<typeof subscriptionDetailSchema>> {
  const [row, lines, instances, builds, suspensions, waiting, queue, deployments] = await Promise.all([
    findSubscription(db, id),
    listSubscriptionLines(db, id),
    listInstancesOf(db, id),
    listBuildsOf(db, id),
    listSuspensions(db, id),
    listWaitingChanges(db, id),
    findQueuePlace(db, id),
    listDeployments(db, id),
  ])
  const publicId = encodeId('subscription', id)
  if (!row) throw new BusinessError('not_found', `There is no subscription ${publicId}.`)
  return {
    ...toSubscriptionJson(row),
    lines: lines.map(toSubscriptionLineJson),
    instances: instances.map(toInstanceJson),
    deployments: deployments.map(toDeploymentJson),
    builds: builds.map(toBuildJson),
    suspensions: row.phase === 'suspended' ? suspensions : [],
    waiting_changes: waiting.map(toWaitingChangeJson),
    queue,
    allowed_actions: allowedActions(row),
    workflow: toWorkflowJson(publicId, { uiUrl: deps.temporalUiUrl, namespace: deps.temporalNamespace }),
  }
}
