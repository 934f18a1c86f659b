import type { z } from '@hono/zod-openapi'
import type { ErrorCode } from '#domain/errors.ts'
import type { SubscriptionCommand } from '#domain/subscription.ts'
import { resolveAddress } from '../addressing.ts'
import { authorize } from '../authentication.ts'
import type { Call, Frame } from '../frame.ts'
import { cancelNow } from '../permission.ts'
import { dispatchOutbox } from '../relay.ts'
import { idParams } from '../schemas/common.ts'
import {
  cancelSchema,
  changePlanSchema,
  delayLineSchema,
  lineSchema,
  nothingSchema,
  pauseSchema,
  planSuccessorSchema,
  resumeSchema,
  restoreInPlaceSchema,
  setRecurrenceSchema,
  setTermSchema,
  stopLineSchema,
  subscriptionDetailSchema,
  suspendSchema,
  transferSchema,
  withdrawChangeSchema,
} from '../schemas/subscription.ts'
import { sendCommand, type Wish } from '../subscription-commands.ts'
import {
  toCancellation,
  toLineAction,
  toLineDelay,
  toLineStop,
  toPause,
  toPlanChange,
  toResumption,
  toRestore,
  toSuccessor,
  toSuspension,
  toTerm,
  toTransfer,
  toWithdrawal,
} from '../subscription-wishes.ts'
import { readSubscriptionDetail } from './subscriptions.ts'

type Params = z.output<typeof idParams>

interface Action<Body extends z.ZodType> {
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly body: Body
  readonly refusals?: readonly ErrorCode[]
  readonly toWish: (call: Call<Params, unknown, z.output<Body>>) => Wish | Promise<Wish>
}

/** What a change of a line is refused with, whoever asks for it. */
export const changeRefusals = [
  'action_not_allowed',
  'below_current_use',
  'change_not_allowed',
  'date_range_invalid',
  'deployed_elsewhere',
  'limit_not_in_force',
  'not_found',
  'price_missing_in_currency',
  'product_archived',
  'product_unknown',
  'quantity_invalid',
  'quantity_not_whole',
  'quantity_unchanged',
  'recurrence_invalid',
  'subscription_ended',
] as const satisfies readonly ErrorCode[]

/** What can be asked of a subscription. Each goes to its workflow and is answered when that has decided. */
export function registerSubscriptionActions(frame: Frame): void {
  registerAction(frame, {
    name: 'cancel',
    summary: 'Cancel a subscription, now or at the end of what is paid',
    description: `Otherwise than at the end of what is paid, a key needs the scope ${cancelNow}.`,
    body: cancelSchema,
    refusals: ['date_range_invalid', 'offer_in_use'],
    toWish: ({ body, principal }) => {
      if (body.when !== 'period_end') authorize(principal, cancelNow)
      return toCancellation(body)
    },
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
    toWish: ({ body }) => toSuspension(body),
  })
  registerAction(frame, {
    name: 'resume',
    summary: 'Lift a reason of a suspension, and start what was suspended once none is left',
    body: resumeSchema,
    refusals: ['container_exited', 'not_ready_in_time', 'ports_exhausted', 'suspended', 'volume_missing'],
    toWish: ({ body }) => toResumption(body),
  })
  registerAction(frame, {
    name: 'restore',
    summary: 'Put a backup in place of what an instance holds',
    description:
      'The backup is one of the instance, or what it began with. What the instance holds is saved before, and comes back where the restore fails. The answer comes when it has begun: read it with GET /v1/restores.',
    body: restoreInPlaceSchema,
    refusals: ['backup_not_restorable', 'not_found'],
    toWish: async ({ body, db }) => await toRestore(db, body),
  })
  registerAction(frame, {
    name: 'change-plan',
    summary: 'Change what a line sells: quantity, product, price or recurrence',
    body: changePlanSchema,
    refusals: [...changeRefusals, 'price_negative', 'tiers_invalid'],
    toWish: async ({ body, db }) => await toPlanChange(db, body),
  })
  registerAction(frame, {
    name: 'withdraw-change',
    summary: 'Withdraw a change that waits until less is used',
    body: withdrawChangeSchema,
    refusals: ['change_not_waiting', 'not_found'],
    toWish: async ({ body, db }) => await toWithdrawal(db, body),
  })
  registerAction(frame, {
    name: 'pause',
    summary: 'Stop service and billing for some days, and keep the data',
    body: pauseSchema,
    refusals: ['date_range_invalid'],
    toWish: ({ body }) => toPause(body),
  })
  registerAction(frame, {
    name: 'unpause',
    summary: 'Withdraw a pause that has not begun',
    body: nothingSchema,
    toWish: () => ({ kind: 'unpause' }),
  })
  registerAction(frame, {
    name: 'stop-line',
    summary: 'End one line, not before the day to which it was billed',
    body: stopLineSchema,
    refusals: ['before_last_billed_day', 'not_found'],
    toWish: async ({ body, db }) => await toLineStop(db, body),
  })
  registerLineActions(frame)
  registerAction(frame, {
    name: 'transfer',
    summary: 'Hand a line, or a part of its quantity, to another customer',
    body: transferSchema,
    refusals: [
      'below_current_use',
      'currency_mismatch',
      'customer_unknown',
      'date_range_invalid',
      'deployed_elsewhere',
      'not_found',
      'product_archived',
      'quantity_invalid',
      'quantity_not_whole',
    ],
    toWish: async ({ body, db }) => await toTransfer(db, body),
  })
  registerAction(frame, {
    name: 'set-term',
    summary: 'Agree a fixed term, and whether it is renewed',
    body: setTermSchema,
    refusals: ['recurrence_invalid'],
    toWish: ({ body }) => toTerm(body),
  })
  registerAction(frame, {
    name: 'set-recurrence',
    summary: 'Bill all that recurs by one recurrence, each line from its next period on',
    description:
      'Each is sold as the product of its family that has this recurrence, at its price; where there is none, as so many shorter periods cost. Instalments stay as they are.',
    body: setRecurrenceSchema,
    refusals: ['price_missing_in_currency', 'product_unknown', 'recurrence_invalid'],
    toWish: ({ body }) => ({ kind: 'setRecurrence', recurrence: body.recurrence }),
  })
  registerAction(frame, {
    name: 'retry-build',
    summary: 'Try a failed build or unbuild again',
    body: nothingSchema,
    refusals: ['no_server_for_application'],
    toWish: () => ({ kind: 'retryBuild' }),
  })
}

/** The other actions of one line. Which of them it takes today is with the line; each other is refused with the reason. */
function registerLineActions(frame: Frame): void {
  const named = { body: lineSchema, refusals: ['not_found'] } as const
  registerAction(frame, {
    ...named,
    name: 'cancel-line',
    summary: 'Withdraw one line as if it had never begun, where nothing of it was billed',
    toWish: async ({ body, db }) => await toLineAction(db, 'cancelLine', body),
  })
  registerAction(frame, {
    ...named,
    name: 'uncancel-line',
    summary: 'Bring a cancelled line back, where nothing has its place',
    toWish: async ({ body, db }) => await toLineAction(db, 'uncancelLine', body),
  })
  registerAction(frame, {
    name: 'delay-line',
    summary: 'Begin a line that was never billed on a later day',
    body: delayLineSchema,
    refusals: ['date_range_invalid', 'not_found'],
    toWish: async ({ body, db }) => await toLineDelay(db, body),
  })
  registerAction(frame, {
    ...named,
    name: 'delete-line',
    summary: 'Take a line that was never billed out, with what was to follow it',
    toWish: async ({ body, db }) => await toLineAction(db, 'deleteLine', body),
  })
  registerAction(frame, {
    name: 'plan-successor',
    summary: 'Have a line that ends followed by another like it',
    body: planSuccessorSchema,
    refusals: ['date_range_invalid', 'not_found'],
    toWish: async ({ body, db }) => await toSuccessor(db, body),
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
      ...(action.description === undefined ? {} : { description: action.description }),
      params: idParams,
      body: action.body,
      result: subscriptionDetailSchema,
      effect: 'command',
      refusals: ['action_not_allowed', 'subscription_ended', ...(action.refusals ?? [])],
    },
    async (call) => {
      const subscriptionId = await resolveAddress(call.db, 'subscription', call.params.id)
      const { reason, asked, ...wish } = await action.toWish(call)
      const command: SubscriptionCommand = { ...wish, requestId: call.commandId }
      const actor = call.principal.name
      const { isRepeat } = call
      await sendCommand(frame.deps, { subscriptionId, command, actor, reason, asked, isRepeat })
      // What was handed over is an order of somebody else, whose workflow starts at once.
      if (command.kind === 'transfer') call.afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return await readSubscriptionDetail(call.db, subscriptionId, frame.deps)
    },
  )
}
