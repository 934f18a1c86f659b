import { z } from '@hono/zod-openapi'
import { listRefusedUsageEvents } from '#db/read/refused-usage-event.ts'
import { forgetRefusedUsageEvents, refusedUsageBounds } from '#db/refused-usage-event.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { sendOneAgain, sendRefusedAgain } from '../refused-usage.ts'
import { idParams } from '../schemas/common.ts'
import {
  refusalCodeField,
  refusedUsageEventSchema,
  sendAgainSchema,
  sentAgainSchema,
  toRefusedUsageEventJson,
} from '../schemas/refused-usage-event.ts'

const { keptDays, keptOfASender } = refusedUsageBounds

/** What was pushed and counts nowhere, and why. */
export function registerRefusedUsageEvents(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/refused-usage-events',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'List usage events that were refused: not billed, and why',
      description: `Each once, however often it was sent, until it counts; at most ${keptDays} days, and the newest ${keptOfASender} of a sender.`,
      query: z.strictObject({ ...pageQuery, code: refusalCodeField.optional() }),
      result: pageOf(refusedUsageEventSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const rows = await listRefusedUsageEvents(db, { ...page, code: query.code ?? null })
      return toPage(rows, page, toRefusedUsageEventJson)
    },
  )
  registerSendings(frame)
  frame.route(
    {
      method: 'delete',
      path: '/v1/refused-usage-events/{id}',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Take a refused usage event out of the list: it will never count',
      params: idParams,
      result: z.null(),
      status: 204,
    },
    async ({ db, params }) => {
      await forgetRefusedUsageEvents(db, [await resolveAddress(db, 'refusedUsageEvent', params.id)])
      return null
    },
  )
}

function registerSendings(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/refused-usage-events/send-again',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Send refused usage events again, once the cause is gone',
      description:
        'Up to a thousand, the longest untried first. Each counts once, also where its sender sent it again himself.',
      body: sendAgainSchema,
      result: sentAgainSchema,
    },
    async ({ transaction, body }) => {
      const asked = { code: body.code, triedBefore: body.tried_before }
      const sent = await sendRefusedAgain(transaction(), frame.deps.now, asked)
      const { stored, duplicates, refused, isMoreLeft, triedBefore } = sent
      return { stored, duplicates, refused, has_more: isMoreLeft, tried_before: triedBefore }
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/refused-usage-events/{id}/send-again',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Send one refused usage event again',
      description: 'Refused again, the answer says why, and it stays in the list.',
      params: idParams,
      result: z.object({ result: z.enum(['stored', 'duplicate']) }).openapi('SentOneAgain'),
      refusals: [
        'metric_unknown',
        'subscription_unknown',
        'usage_not_taken',
        'usage_event_conflict',
        'subscription_not_begun',
        'usage_event_too_late',
      ],
    },
    async ({ db, transaction, params }) => {
      const id = await resolveAddress(db, 'refusedUsageEvent', params.id)
      return { result: await sendOneAgain(transaction(), frame.deps.now, id) }
    },
  )
}
