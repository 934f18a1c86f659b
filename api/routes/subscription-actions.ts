import type { z } from '@hono/zod-openapi'
import type { ErrorCode } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { SubscriptionCommand } from '#domain/subscription.ts'
import { resolveField } from '../addressing.ts'
import type { Call, Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import {
  cancelSchema,
  changePlanSchema,
  nothingSchema,
  subscriptionDetailSchema,
  suspendSchema,
} from '../schemas/subscription.ts'
import { sendCommand, type Wish } from '../subscription-commands.ts'
import { readSubscriptionDetail } from './subscriptions.ts'

type Params = z.output<typeof idParams>

interface Action<Body extends z.ZodType> {
  readonly name: string
  readonly summary: string
  readonly body: Body
  readonly refusals?: readonly ErrorCode[]
  readonly toWish: (call: Call<Params, unknown, z.output<Body>>) => Wish | Promise<Wish>
}

/** What can be asked of a subscription. Each goes to its workflow and is answered when that has decided. */
export function registerSubscriptionActions(frame: Frame): void {
  registerAction(frame, {
    name: 'cancel',
    summary: 'Cancel a subscription, now or at the end of what is paid',
    body: cancelSchema,
    toWish: ({ body }) => ({ kind: 'cancel', when: body.when, reason: body.reason }),
  })
  registerAction(frame, {
    name: 'uncancel',
    summary: 'Take a cancellation back that has not taken effect',
    body: nothingSchema,
    toWish: () => ({ kind: 'uncancel' }),
  })
  registerAction(frame, {
    name: 'suspend',
    summary: 'Stop what runs, keep what it holds',
    body: suspendSchema,
    toWish: ({ body }) => ({ kind: 'suspend', reason: body.reason }),
  })
  registerAction(frame, {
    name: 'resume',
    summary: 'Start what was suspended',
    body: nothingSchema,
    refusals: ['container_exited', 'not_ready_in_time', 'port_taken_on_server'],
    toWish: () => ({ kind: 'resume' }),
  })
  registerAction(frame, {
    name: 'change-plan',
    summary: 'Sell another quantity of a line',
    body: changePlanSchema,
    refusals: [
      'below_current_use',
      'limit_not_in_force',
      'not_found',
      'quantity_invalid',
      'quantity_not_whole',
      'quantity_unchanged',
    ],
    toWish: async ({ body, db }) => {
      const line = {
        kind: 'subscriptionLine',
        text: body.line,
        pointer: '/line',
        unknown: 'not_found',
      } as const
      await resolveField(db, line)
      return { kind: 'changePlan', subscriptionLineId: body.line, quantity: body.quantity }
    },
  })
  registerAction(frame, {
    name: 'retry-build',
    summary: 'Try a failed build or unbuild again',
    body: nothingSchema,
    toWish: () => ({ kind: 'retryBuild' }),
  })
}

function registerAction<Body extends z.ZodType>(frame: Frame, action: Action<Body>): void {
  frame.route(
    {
      method: 'post',
      path: `/v1/subscriptions/{id}/${action.name}`,
      permission: 'subscriptions:write',
      tag: 'Subscriptions',
      summary: action.summary,
      params: idParams,
      body: action.body,
      result: subscriptionDetailSchema,
      effect: 'command',
      refusals: ['action_not_allowed', 'subscription_ended', ...(action.refusals ?? [])],
    },
    async (call) => {
      const subscriptionId = decodeId('subscription', call.params.id)
      const { reason, ...wish } = await action.toWish(call)
      const command: SubscriptionCommand = { ...wish, requestId: call.commandId }
      const actor = call.principal.name
      await sendCommand(frame.deps, { subscriptionId, command, actor, reason, isRepeat: call.isRepeat })
      return await readSubscriptionDetail(call.db, subscriptionId, frame.deps)
    },
  )
}
