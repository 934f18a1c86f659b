import { sql } from 'kysely'
import type { AskedPlan } from '#domain/change.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { formatMoney } from '#domain/money.ts'
import { defaultTerms, type Terms } from '#domain/terms.ts'
import { toldOf } from './change-decision.ts'
import { previewPlanChange, type PreviewedChange } from './change-preview.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { lockSubscription, tellOf, type Subscription } from './subscription.ts'
import type { ChangeRequestPreview } from './tables/subscription.ts'
import { openTask } from './task.ts'

export interface AskedFor {
  readonly subscriptionId: string
  readonly subscriptionLineId: string
  readonly plan: AskedPlan
  /** In the customer's own words. */
  readonly message: string | null
  readonly actor: string
  readonly requestId: string
  readonly now: string
}

export interface TakenRequest {
  readonly id: string
  readonly mode: Terms['upgradeMode']
}

/**
 * Keeps what a customer asked for, with what it would mean and cost today. Where the terms of the line say `manual`, a task
 * tells an operator of it, and nothing changes before. Asked again under the same id, it is the same request.
 * @throws what the change and its bill are refused with, `change_requested_already`
 */
export async function takeChangeRequest(db: Db, asked: AskedFor): Promise<TakenRequest> {
  return await db.transaction().execute(async (tx) => {
    const known = await findTaken(tx, asked.requestId)
    if (known !== undefined) return known
    const subscription = await lockSubscription(tx, asked.subscriptionId)
    const change = { ...asked.plan, subscriptionLineId: asked.subscriptionLineId }
    const { subscriptionId, now } = asked
    const previewed = await previewPlanChange(tx, { subscriptionId, change, now })
    const taken = {
      id: newId(),
      mode: previewed.line.terms.upgradeMode ?? defaultTerms.upgradeMode,
    }
    const preview = toPreview(previewed)
    await insertRequest(tx, asked, { ...taken, preview, firstLineId: previewed.line.first_line_id })
    if (taken.mode === 'manual')
      await openRequestTask(tx, { subscription, asked, taken, preview, line: previewed.line })
    await tellOf(tx, subscription, 'subscription.change_requested', {
      now: subscription.test_clock_now_at ?? now,
      data: { ...toldOf(taken.id, preview), mode: taken.mode, actor: asked.actor },
    })
    return taken
  })
}

async function findTaken(tx: Tx, requestId: string): Promise<TakenRequest | undefined> {
  return await tx
    .selectFrom('change_requests')
    .select(['id', 'mode'])
    .where('request_id', '=', requestId)
    .executeTakeFirst()
}

async function insertRequest(
  tx: Tx,
  asked: AskedFor,
  taken: TakenRequest & { preview: ChangeRequestPreview; firstLineId: string },
): Promise<void> {
  const row = await tx
    .insertInto('change_requests')
    .values({
      id: taken.id,
      subscription_id: asked.subscriptionId,
      subscription_line_id: asked.subscriptionLineId,
      first_line_id: taken.firstLineId,
      request_id: asked.requestId,
      mode: taken.mode,
      asked: JSON.stringify(asked.plan),
      message: asked.message,
      requested_by: asked.actor,
      preview: JSON.stringify(taken.preview),
    })
    .onConflict((conflict) =>
      conflict.column('first_line_id').where('state', '=', sql.lit('open')).doNothing(),
    )
    .returning('id')
    .executeTakeFirst()
  if (row) return
  throw new BusinessError('change_requested_already', 'Another change of this line was asked for and waits.')
}

function toPreview(previewed: PreviewedChange): ChangeRequestPreview {
  const { expected, limit } = previewed
  const totalMinor = (expected?.bills ?? []).reduce((sum, { draft }) => sum + draft.totalMinor, 0)
  return {
    product: previewed.productCode,
    from: previewed.from,
    to: previewed.to,
    direction: previewed.direction,
    effectiveOn: previewed.effectiveOn,
    creditMinor: previewed.creditMinor,
    chargeMinor: previewed.chargeMinor,
    currency: previewed.currency,
    limit: limit === null ? null : { code: limit.code, from: limit.from, to: limit.to },
    nextInvoice: expected === null ? null : { on: expected.on, totalMinor },
  }
}

async function openRequestTask(
  tx: Tx,
  request: {
    subscription: Subscription
    asked: AskedFor
    taken: TakenRequest
    preview: ChangeRequestPreview
    line: PreviewedChange['line']
  },
): Promise<void> {
  const { subscription, asked, taken, preview, line } = request
  const { product, from, to, currency, nextInvoice } = preview
  const money = (amountMinor: number) => formatMoney(amountMinor, currency)
  const detail = [
    `${asked.actor} asks to change subscription ${encodeId('subscription', subscription.id)}`,
    line.instance_id === null ? '' : `, instance ${encodeId('instance', line.instance_id)}`,
    `: ${product} from ${from} to ${to}, from ${preview.effectiveOn} on. `,
    `Credit ${money(preview.creditMinor)}, charge ${money(preview.chargeMinor)}`,
    nextInvoice === null ? '' : `, next invoice on ${nextInvoice.on}: ${money(nextInvoice.totalMinor)}`,
    `. ${asked.message === null ? '' : `They say: ${asked.message} `}`,
    `Apply or refuse ${encodeId('changeRequest', taken.id)}; nothing changes before.`,
  ]
  await openTask(tx, {
    kind: 'change_requested',
    subjectKind: 'change_request',
    subjectId: taken.id,
    subject: `${subscription.title}: ${product} from ${from} to ${to}`,
    detail: detail.join(''),
  })
}
