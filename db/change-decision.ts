import { sql } from 'kysely'
import { checkUndecided } from '#domain/change-request.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { getSubscription, tellOf } from './subscription.ts'
import type { ChangeRequestPreview } from './tables/subscription.ts'
import { closeTasks } from './task.ts'

/** @throws `change_request_decided` */
export async function checkOpenRequest(db: Db, id: string): Promise<void> {
  const row = await db
    .selectFrom('change_requests')
    .select('state')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  checkUndecided(row.state)
}

/** With the change itself, in its transaction: a request that is refused meanwhile changes nothing. */
export async function markApplied(tx: Tx, id: string, actor: string): Promise<void> {
  await decide(tx, id, { state: 'applied', actor, reason: null })
}

/**
 * Refuses what a customer asked for, and keeps why: it is read where the request is read.
 * @throws `change_request_decided`
 */
export async function refuseChangeRequest(
  tx: Tx,
  id: string,
  refusal: { actor: string; reason: string; now: string },
): Promise<void> {
  const { actor, reason, now } = refusal
  const { subscription_id: subscriptionId, preview } = await decide(tx, id, {
    state: 'refused',
    actor,
    reason,
  })
  const subscription = await getSubscription(tx, subscriptionId)
  await tellOf(tx, subscription, 'subscription.change_refused', {
    now: subscription.test_clock_now_at ?? now,
    data: { ...toldOf(id, preview), reason, actor },
  })
}

async function decide(
  tx: Tx,
  id: string,
  decision: { state: 'applied' | 'refused'; actor: string; reason: string | null },
) {
  const row = await tx
    .selectFrom('change_requests')
    .select(['state', 'subscription_id', 'preview'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  checkUndecided(row.state)
  const { state, actor, reason } = decision
  await tx
    .updateTable('change_requests')
    .set({ state, decided_by: actor, decided_at: sql`now()`, refused_reason: reason })
    .where('id', '=', id)
    .execute()
  await closeTasks(tx, { kind: 'change_request', id, reason: state }, ['change_requested'])
  return row
}

/** What ended cannot be changed any more; nobody has to refuse it by hand. */
export async function refuseRequestsOfEnded(tx: Tx, subscriptionId: string, now: string): Promise<void> {
  const open = await tx
    .selectFrom('change_requests')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'open')
    .orderBy('id')
    .forUpdate()
    .execute()
  for (const { id } of open)
    await refuseChangeRequest(tx, id, { actor: 'Clouder', reason: 'The subscription has ended.', now })
}

/** What the timeline says of a request. */
export function toldOf(id: string, { product, from, to, effectiveOn }: ChangeRequestPreview) {
  return { change_request: encodeId('changeRequest', id), product, from, to, effective_on: effectiveOn }
}
