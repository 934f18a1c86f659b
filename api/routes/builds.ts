import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { findQueuePlace } from '#db/read/build-queue.ts'
import { getBuild, listBuilds, listBuildSteps } from '#db/read/build.ts'
import { BusinessError } from '#domain/errors.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { buildDetailSchema, buildSchema, canRetry, toBuildJson, toBuildStepJson } from '../schemas/build.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { nothingSchema } from '../schemas/subscription.ts'
import { sendCommand } from '../subscription-commands.ts'

export function registerBuilds(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/builds',
      permission: 'builds:read',
      tag: 'Builds',
      summary: 'List builds and unbuilds',
      query: z.strictObject({ ...pageQuery, subscription: addressField.optional() }),
      result: pageOf(buildSchema),
      refusals: ['subscription_unknown', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      return toPage(await listBuilds(db, { ...page, subscriptionId }), page, toBuildJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/builds/{id}',
      permission: 'builds:read',
      tag: 'Builds',
      summary: 'Read a build with its steps',
      params: idParams,
      result: buildDetailSchema,
    },
    async ({ db, params, now }) =>
      readBuildDetail(db, await resolveAddress(db, 'buildOrder', params.id), now),
  )
  registerRetry(frame)
}

function registerRetry(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/builds/{id}/retry',
      permission: 'builds:write',
      tag: 'Builds',
      summary: 'Try a failed build again',
      params: idParams,
      body: nothingSchema,
      result: buildDetailSchema,
      effect: 'command',
      refusals: [
        'action_not_allowed',
        'build_not_retryable',
        'no_server_for_application',
        'subscription_ended',
      ],
    },
    async ({ db, params, commandId, principal, isRepeat, now }) => {
      const id = await resolveAddress(db, 'buildOrder', params.id)
      const build = await getBuild(db, id)
      if (!isRepeat && !canRetry(build)) {
        throw new BusinessError(
          'build_not_retryable',
          `This ${build.kind} is ${build.state}, and nothing waits for it to be tried again.`,
        )
      }
      await sendCommand(frame.deps, {
        subscriptionId: build.subscription_id,
        isRepeat,
        command: { kind: 'retryBuild', requestId: commandId },
        actor: principal.name,
      })
      return await readBuildDetail(db, id, now)
    },
  )
}

/** The subscription that a list is narrowed to. @throws `subscription_unknown` */
export async function findSubscriptionFilter(db: Db, text: string | undefined): Promise<string | null> {
  if (text === undefined) return null
  const field = {
    kind: 'subscription',
    text,
    pointer: '?subscription',
    unknown: 'subscription_unknown',
  } as const
  return await resolveField(db, field)
}

/** A build order with its steps, and its place in the queue while it waits. */
export async function readBuildDetail(
  db: Db,
  id: string,
  now: string,
): Promise<z.input<typeof buildDetailSchema>> {
  const row = await getBuild(db, id)
  const steps = await listBuildSteps(db, id)
  return {
    ...toBuildJson(row),
    queue: row.state === 'planned' ? await findQueuePlace(db, row.subscription_id) : null,
    steps: steps.map((step) => toBuildStepJson(row, step, now)),
  }
}
