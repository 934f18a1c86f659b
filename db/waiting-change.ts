import { dateIn } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { readChange, readPeriodEnd, type AskedChange } from './asked-plan.ts'
import { markApplied } from './change-decision.ts'
import { once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { applyChange, ceilingAfter, describeChange } from './plan.ts'
import { lockSubscription, tellOf } from './subscription.ts'
import { openTask } from './task.ts'
import {
  decideWaiting,
  giveUpWaiting,
  replaceWaiting,
  toldOfWaiting,
  type WaitingChangeRow,
} from './waiting-decision.ts'

/**
 * Keeps a change to less than is used until it fits (D-36). It takes the place of one that waits for the same line.
 * @param plan.used what is used now, in the unit of the limit
 * @throws what `decideChange` refuses, `change_request_decided`
 */
export async function planWaitingChange(
  db: Db,
  key: CommandKey,
  plan: { change: AskedChange; used: string; changeRequestId: string | undefined },
): Promise<void> {
  const { change, used, changeRequestId } = plan
  await once(db, key, 'planChange', async ({ tx }, subscription) => {
    if (changeRequestId !== undefined) await markApplied(tx, changeRequestId, key.actor)
    const read = await readChange(tx, subscription, { ...change, now: key.now })
    const { line, product, decided, target } = read
    const { instance_id: instanceId, first_line_id: firstLineId } = line
    const { limitCode } = target
    // Asked for without a limit, it would have been made.
    if (instanceId === null || limitCode === null) return
    await replaceWaiting(tx, subscription, { firstLineId, actor: key.actor, now: key.now })
    const { subscriptionLineId: _line, ...asked } = change
    const [from, to] = describeChange(read, subscription.currency)
    const row = {
      id: newId(),
      product: product.code,
      from_text: from,
      to_text: to,
      limit_code: limitCode,
      ceiling: await ceilingAfter(tx, read),
    }
    await tx
      .insertInto('waiting_changes')
      .values({
        ...row,
        subscription_id: subscription.id,
        first_line_id: firstLineId,
        request_id: key.requestId,
        asked: JSON.stringify(asked),
        instance_id: instanceId,
        asked_by: key.actor,
        asked_at: key.now,
        told_on: await readPeriodEnd(tx, line, dateIn(subscription.time_zone, key.now)),
      })
      .execute()
    const data = { ...toldOfWaiting(row), used, effective_on: decided.effectiveOn, actor: key.actor }
    await tellOf(tx, subscription, 'subscription.change_waits', { now: key.now, data })
  })
}

/** Makes the change, as its terms say on this day: it fits. Made already, nothing happens. @throws what `decideChange` refuses */
export async function applyWaitingChange(db: Db, { id, now }: { id: string; now: string }): Promise<void> {
  const { subscription_id: subscriptionId, first_line_id, asked, asked_by: actor } = await getRow(db, id)
  const key = { subscriptionId, requestId: encodeId('waitingChange', id), actor, now }
  await once(db, key, 'changePlan', async (changes) => {
    await decideWaiting(changes.tx, id, { state: 'applied', actor: 'Clouder' })
    await applyChange(changes, key, { ...asked, subscriptionLineId: first_line_id })
  })
}

/** Withdraws one before it is made. @throws `change_not_waiting`, `not_found` */
export async function withdrawWaitingChange(db: Db, key: CommandKey, id: string): Promise<void> {
  await once(db, key, 'withdrawChange', async ({ tx }, subscription) => {
    const { actor, now } = key
    if ((await getRow(tx, id)).subscription_id !== subscription.id)
      throw new BusinessError('not_found', 'The subscription has no such change.')
    await giveUpWaiting(tx, subscription, id, { state: 'withdrawn', actor, now })
  })
}

/** What waited cannot be made, for another reason than its use. Decided already, it stays so. */
export async function refuseWaitingChange(
  db: Db,
  refused: { id: string; reason: string; now: string },
): Promise<void> {
  const { id, reason, now } = refused
  await db.transaction().execute(async (tx) => {
    const { subscription_id: subscriptionId } = await getRow(tx, id)
    const subscription = await lockSubscription(tx, subscriptionId)
    if ((await getRow(tx, id)).state !== 'waiting') return
    await giveUpWaiting(tx, subscription, id, { state: 'refused', actor: 'Clouder', reason, now })
  })
}

/**
 * Tells at the end of a period that a change still does not fit: an event for whoever reads, and a task. It waits on, and is told
 * again at the end of the next one. Told on that day already, it is not told again.
 * @param told.used null where it could not be asked
 */
export async function tellOfUnfit(
  db: Db,
  told: { id: string; used: string | null; now: string },
): Promise<void> {
  const { id, used, now } = told
  await db.transaction().execute(async (tx) => {
    const { subscription_id: subscriptionId } = await getRow(tx, id)
    const subscription = await lockSubscription(tx, subscriptionId)
    const row = await getRow(tx, id)
    const today = dateIn(subscription.time_zone, now)
    if (row.state !== 'waiting' || row.told_on > today) return
    const line = await tx
      .selectFrom('subscription_lines')
      .selectAll()
      .where('first_line_id', '=', row.first_line_id)
      .orderBy('starts_on', 'desc')
      .limit(1)
      .$narrowType<{ starts_on: string }>()
      .executeTakeFirstOrThrow()
    const told_on = await readPeriodEnd(tx, { ...line, billed_until: null }, today)
    await tx.updateTable('waiting_changes').set({ told_on }).where('id', '=', id).execute()
    await tellOf(tx, subscription, 'subscription.change_unfit', {
      now,
      data: { ...toldOfWaiting(row), used },
    })
    await openTask(tx, {
      kind: 'change_unfit',
      subjectKind: 'subscription',
      subjectId: subscriptionId,
      subject: `${subscription.title}: ${row.product} from ${row.from_text} to ${row.to_text} still waits`,
      detail: `${used ?? 'An unknown quantity'} of ${row.limit_code} are used; the change is made once it is ${row.ceiling} or fewer. Have some freed, or withdraw the change ${encodeId('waitingChange', id)}.`,
    })
  })
}

/** @throws `not_found` */
async function getRow(db: Db, id: string): Promise<WaitingChangeRow> {
  const row = await db.selectFrom('waiting_changes').selectAll().where('id', '=', id).executeTakeFirst()
  if (row) return row
  throw new BusinessError('not_found', `There is no change ${encodeId('waitingChange', id)} that waits.`)
}
