import { sql, type Selectable } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import { checkWaiting, type WaitingChangeState } from '#domain/waiting-change.ts'
import type { Db, Tx } from './database.ts'
import { getSubscription, tellOf, type Subscription } from './subscription.ts'
import type { WaitingChangesTable } from './tables/subscription.ts'
import { closeTasks } from './task.ts'

export type WaitingChangeRow = Selectable<WaitingChangesTable>

/** The changes of a subscription that wait until less is used, the oldest first. */
export async function listWaitingRows(db: Db, subscriptionId: string): Promise<WaitingChangeRow[]> {
  return await db
    .selectFrom('waiting_changes')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'waiting')
    .orderBy('id')
    .execute()
}

/**
 * Ends the waiting of a change; whoever is second finds it ended.
 * @throws `change_not_waiting`
 */
export async function decideWaiting(
  tx: Tx,
  id: string,
  decision: { state: Exclude<WaitingChangeState, 'waiting'>; actor: string; reason?: string },
): Promise<WaitingChangeRow> {
  const row = await tx
    .selectFrom('waiting_changes')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  checkWaiting(row.state)
  const { state, actor, reason = null } = decision
  await tx
    .updateTable('waiting_changes')
    .set({
      state,
      decided_by: actor,
      decided_at: sql`now()`,
      refused_reason: state === 'refused' ? reason : null,
    })
    .where('id', '=', id)
    .execute()
  if ((await listWaitingRows(tx, row.subscription_id)).length === 0)
    await closeTasks(tx, { kind: 'subscription', id: row.subscription_id, reason: state }, ['change_unfit'])
  return row
}

/** The same, and tells of it: it will not be made. @throws `change_not_waiting` */
export async function giveUpWaiting(
  tx: Tx,
  subscription: Pick<Subscription, 'id' | 'customer_id'>,
  id: string,
  decision: { state: 'withdrawn' | 'replaced' | 'refused'; actor: string; reason?: string; now: string },
): Promise<void> {
  const { state, actor, reason, now } = decision
  const row = await decideWaiting(tx, id, decision)
  await tellOf(tx, subscription, 'subscription.change_given_up', {
    now,
    data: { ...toldOfWaiting(row), state, actor, ...(reason === undefined ? {} : { reason }) },
  })
}

/** A line has one plan: what is agreed anew takes the place of what waits. */
export async function replaceWaiting(
  tx: Tx,
  subscription: Subscription,
  of: { firstLineId: string; actor: string; now: string },
): Promise<void> {
  for (const { id, first_line_id: firstLineId } of await listWaitingRows(tx, subscription.id))
    if (firstLineId === of.firstLineId)
      await giveUpWaiting(tx, subscription, id, { ...of, state: 'replaced' })
}

/** What ended cannot be changed any more. */
export async function withdrawWaitingOfEnded(tx: Tx, subscriptionId: string, now: string): Promise<void> {
  const subscription = await getSubscription(tx, subscriptionId)
  const decision = {
    state: 'withdrawn',
    actor: 'Clouder',
    reason: 'The subscription has ended.',
    now,
  } as const
  for (const { id } of await listWaitingRows(tx, subscriptionId))
    await giveUpWaiting(tx, subscription, id, decision)
}

/** What the timeline says of it. */
export function toldOfWaiting(
  row: Pick<WaitingChangeRow, 'id' | 'product' | 'from_text' | 'to_text' | 'limit_code' | 'ceiling'>,
) {
  const { product, from_text: from, to_text: to, limit_code: limit, ceiling } = row
  return { change: encodeId('waitingChange', row.id), product, from, to, limit, ceiling }
}

/** The day on which it is told that changes of a subscription still wait; null where none does, or nothing is changed now. */
export async function waitingToldOn(db: Db, subscription: Subscription): Promise<string | null> {
  if (subscription.phase !== 'active' || subscription.cancel_requested_at !== null) return null
  const rows = await listWaitingRows(db, subscription.id)
  return rows.map(({ told_on }) => told_on).toSorted()[0] ?? null
}

/** A change that waits and fits what was measured last. */
export interface FittingChange {
  readonly id: string
  readonly subscriptionId: string
  readonly instanceId: string
  /** What was measured. */
  readonly used: string
}

/** Of some instances, the changes that wait and fit. */
export async function listFitting(db: Db, instanceIds: readonly string[]): Promise<FittingChange[]> {
  const rows = await db
    .selectFrom('waiting_changes as change')
    .innerJoin('limits as limit', (join) =>
      join
        .onRef('limit.instance_id', '=', 'change.instance_id')
        .onRef('limit.code', '=', 'change.limit_code')
        .onRef('limit.used_quantity', '<=', 'change.ceiling'),
    )
    .innerJoin('subscriptions as subscription', 'subscription.id', 'change.subscription_id')
    .select(['change.id', 'change.subscription_id', 'change.instance_id', 'limit.used_quantity'])
    .where('change.state', '=', 'waiting')
    .where('change.instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .where('subscription.phase', '=', 'active')
    .where('subscription.cancel_requested_at', 'is', null)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    subscriptionId: row.subscription_id,
    instanceId: row.instance_id,
    used: row.used_quantity ?? '0',
  }))
}
