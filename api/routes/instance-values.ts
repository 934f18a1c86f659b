import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { listInstanceValues, recordInstanceValue } from '#db/instance-value.ts'
import { getInstance } from '#db/read/instance.ts'
import { getSubscription } from '#db/subscription.ts'
import { dateIn } from '#domain/calendar.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import {
  instanceValueParams,
  instanceValuesSchema,
  newInstanceValueSchema,
  toInstanceValuesJson,
} from '../schemas/instance-value.ts'

/** What is recorded of an instance, which price grids look up by name. */
export function registerInstanceValues(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/instances/{id}/values',
      permission: 'instances:read',
      tag: 'Servers',
      summary: 'List what was recorded of an instance, by code, oldest first',
      params: idParams,
      result: instanceValuesSchema,
    },
    async ({ db, params }) => await listOf(db, await resolveAddress(db, 'instance', params.id)),
  )
  frame.route(
    {
      method: 'put',
      path: '/v1/instances/{id}/values/{code}',
      permission: 'instances:write',
      tag: 'Servers',
      summary: 'Record a value of an instance from a day on',
      description:
        'Price grids look it up by its code: by the first day of a period that is billed in advance, by the last day of one in arrears. It stands before what a metric of that name measures. What was billed stays.',
      params: instanceValueParams,
      body: newInstanceValueSchema,
      result: instanceValuesSchema,
    },
    async ({ db, params, body, principal, now }) => {
      const instanceId = await resolveAddress(db, 'instance', params.id)
      await recordValue(db, { instanceId, code: params.code, body, actor: principal.name, now })
      return await listOf(db, instanceId)
    },
  )
}

export async function recordValue(
  db: Db,
  asked: {
    instanceId: string
    code: string
    body: z.output<typeof newInstanceValueSchema>
    actor: string
    now: string
  },
): Promise<void> {
  const { instanceId, code, body } = asked
  const { subscription_id: subscriptionId } = await getInstance(db, instanceId)
  const { time_zone: timeZone, test_clock_now_at: clockNow } = await getSubscription(db, subscriptionId)
  await recordInstanceValue(db, {
    instanceId,
    code,
    value: body.value,
    startsOn: body.starts_on ?? dateIn(timeZone, clockNow ?? asked.now),
    recordedBy: asked.actor,
    recordedAt: asked.now,
  })
}

async function listOf(db: Db, instanceId: string) {
  return toInstanceValuesJson(await listInstanceValues(db, [instanceId]))
}
