import type { Db } from '#db/database.ts'
import { getSubscription } from '#db/subscription.ts'
import { previewChange } from '#db/plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { SubscriptionCommand } from '#domain/subscription.ts'
import { resolveAddress } from '../addressing.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { commandOnce } from '../idempotency.ts'
import {
  actionNames,
  cancelSchema,
  changePlanSchema,
  delayLineSchema,
  lineSchema,
  pauseSchema,
  planSuccessorSchema,
  resumeSchema,
  restoreInPlaceSchema,
  setRecurrenceSchema,
  setTermSchema,
  stopLineSchema,
  suspendSchema,
  transferSchema,
  withdrawChangeSchema,
} from '../schemas/subscription.ts'
import { commandIdOf, sendCommand, type Wish } from '../subscription-commands.ts'
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
import { parse } from '../validation.ts'
import { toTermBody } from './agreement-forms.tsx'
import { cancellationBody } from './cancellation.tsx'
import { toChangeBody } from './change-fields.ts'
import { consolePage, requireOperator, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { keyedForm, readForm, refusedStatus, type Values } from './sent-form.ts'
import { readSubscriptionContent } from './subscription-content.ts'
import type { RefusedForm } from './subscription-form.tsx'
import { subscriptionBody } from './subscription.tsx'

/** The same commands as the API's, from forms: done leads back to the page, refused shows the form again. */
export function registerSubscriptionForms(frame: Frame): void {
  for (const action of Object.values(actionNames)) {
    consolePage(
      frame,
      { method: 'post', path: `/subscriptions/:id/${action}`, permission: 'subscriptions:write' },
      async (view, ctx) => {
        const publicId = ctx.req.param('id') ?? ''
        const values = await readForm(ctx)
        try {
          await carryOut(frame, ctx, { publicId, action, values })
        } catch (error) {
          if (error instanceof BusinessError)
            return await showAgain(frame, view, { publicId, action, values, error })
          throw error
        }
        return ctx.redirect(`/subscriptions/${publicId}`, 303)
      },
    )
  }
}

/** Sends an action to the workflow, once for one key. @throws what the workflow and the rows refuse */
export async function carryOut(
  frame: Frame,
  ctx: ApiContext,
  form: { publicId: string; action: string; values: Values },
): Promise<void> {
  const { db } = frame.deps
  const { request, fields } = keyedForm(ctx, form.values)
  const actor = requireOperator(ctx).name
  const subscriptionId = await resolveAddress(db, 'subscription', form.publicId)
  await commandOnce(db, request, async () => {
    const { reason, asked, ...wish } = await toWish(frame, { subscriptionId, action: form.action, fields })
    const command: SubscriptionCommand = { ...wish, requestId: commandIdOf(request) }
    await sendCommand(frame.deps, { subscriptionId, command, actor, reason, asked })
    return { status: 303, body: null }
  })
}

/** A form's fields as the command that they ask for; read by the schemas of the API. */
async function toWish(
  frame: Frame,
  form: { subscriptionId: string; action: string; fields: Values },
): Promise<Wish> {
  const { fields } = form
  switch (form.action) {
    case actionNames.cancel:
      return toCancellation(
        parse(cancelSchema, { ...withoutEmpty(fields), reason: fields['reason'] }, 'body'),
      )
    case actionNames.suspend:
      return toSuspension(parse(suspendSchema, withoutEmpty(fields), 'body'))
    case actionNames.changePlan:
      return await toChange(frame, form.subscriptionId, fields)
    case actionNames.pause:
      return toPause(parse(pauseSchema, withoutEmpty(fields), 'body'))
    case actionNames.setRecurrence:
      return { kind: 'setRecurrence', ...parse(setRecurrenceSchema, toRecurrenceBody(fields), 'body') }
    case actionNames.stopLine:
    case actionNames.cancelLine:
    case actionNames.uncancelLine:
    case actionNames.delayLine:
    case actionNames.deleteLine:
    case actionNames.planSuccessor:
      return await toLineWish(frame.deps.db, form.action, withoutEmpty(fields))
    case actionNames.setTerm:
      return toTerm(parse(setTermSchema, toTermBody(fields), 'body'))
    case actionNames.transfer:
      return await toTransfer(frame.deps.db, parse(transferSchema, withoutEmpty(fields), 'body'))
    case actionNames.withdrawChange:
      return await toWithdrawal(frame.deps.db, parse(withdrawChangeSchema, fields, 'body'))
    case actionNames.unpause:
      return { kind: 'unpause' }
    case actionNames.uncancel:
      return { kind: 'uncancel' }
    case actionNames.restore:
      return await toRestore(frame.deps.db, parse(restoreInPlaceSchema, fields, 'body'))
    case actionNames.resume:
      return toResumption(parse(resumeSchema, withoutEmpty(fields), 'body'))
    case actionNames.retryBuild:
      return { kind: 'retryBuild' }
    default:
      throw new BusinessError('not_found', `There is no action ${form.action}.`)
  }
}

/** What is asked of one line. */
async function toLineWish(db: Db, action: string, fields: Values): Promise<Wish> {
  switch (action) {
    case actionNames.stopLine:
      return await toLineStop(db, parse(stopLineSchema, fields, 'body'))
    case actionNames.delayLine:
      return await toLineDelay(db, parse(delayLineSchema, fields, 'body'))
    case actionNames.planSuccessor:
      return await toSuccessor(db, parse(planSuccessorSchema, fields, 'body'))
    case actionNames.uncancelLine:
      return await toLineAction(db, 'uncancelLine', parse(lineSchema, fields, 'body'))
    case actionNames.deleteLine:
      return await toLineAction(db, 'deleteLine', parse(lineSchema, fields, 'body'))
    default:
      return await toLineAction(db, 'cancelLine', parse(lineSchema, fields, 'body'))
  }
}

/** The rows are asked first, so that a quantity that can never be is refused without waking the workflow. */
async function toChange({ deps }: Frame, subscriptionId: string, fields: Values): Promise<Wish> {
  const body = parse(changePlanSchema, toChangeBody(fields), 'body')
  const wish = await toPlanChange(deps.db, body)
  const { test_clock_now_at: clockNow } = await getSubscription(deps.db, subscriptionId)
  await previewChange(deps.db, {
    ...wish.asked?.plan,
    ...(wish.quantity === undefined ? {} : { quantity: wish.quantity }),
    subscriptionId,
    subscriptionLineId: decodeId('subscriptionLine', body.line),
    now: clockNow ?? deps.now(),
  })
  return wish
}

function toRecurrenceBody({ count, unit }: Values): object {
  return { recurrence: { count: Number(count), unit } }
}

/** A form sends every field; what was left empty was not asked. */
function withoutEmpty(fields: Values): Values {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

async function showAgain(
  frame: Frame,
  view: ConsoleView,
  form: { publicId: string; action: string; values: Values; error: BusinessError },
): Promise<ConsoleBody> {
  const { action, values, error } = form
  const content = await readSubscriptionContent(frame.deps.db, form.publicId)
  const refused: RefusedForm = {
    action,
    code: error.code,
    detail: error.message,
    fieldId: fieldIdOf(action, values, error),
    values,
  }
  const body =
    action === actionNames.cancel
      ? await cancellationBody(frame, view, content, refused)
      : subscriptionBody(view, content, { refused })
  return { ...body, title: `Refused: ${body.title}`, status: refusedStatus(error.code) }
}

/** A wrong quantity and what the instance would not take are both about the field of that line. */
function fieldIdOf(action: string, values: Values, error: BusinessError): string | undefined {
  if (action === actionNames.changePlan) return `quantity-${values['line'] ?? ''}`
  const name = error.fields.map((field) => field.pointer.slice(1)).find((field) => field in values)
  return name === undefined ? undefined : `${action}-${name}`
}
