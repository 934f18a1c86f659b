import { compareDates, dateIn } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { decideLift, type Lift } from '#domain/suspension.ts'
import { once, type CommandKey } from './command.ts'
import { within, type Db, type Tx } from './database.ts'
import { newId } from './identifier.ts'
import { findPauseInForce, resumeLines } from './pause.ts'
import { lockSubscription, setPhase, tellOf, type Subscription } from './subscription.ts'

/** The reasons that stand, oldest first. */
export async function listSuspensions(db: Db, subscriptionId: string) {
  return await db
    .selectFrom('suspensions')
    .select(['code', 'reason', 'set_by', 'set_at'])
    .where('subscription_id', '=', subscriptionId)
    .where('lifted_at', 'is', null)
    .orderBy('set_at')
    .orderBy('code')
    .execute()
}

/**
 * Sets a reason: what ran was stopped before, or is stopped for another reason already.
 * @throws `action_not_allowed` where the same reason stands
 */
export async function suspendSubscription(
  db: Db,
  key: CommandKey,
  { code, reason }: { readonly code: string; readonly reason: string },
): Promise<void> {
  await once(db, key, 'suspend', async ({ tx }, subscription) => {
    const set = await tx
      .insertInto('suspensions')
      .values({
        id: newId(),
        subscription_id: subscription.id,
        code,
        reason,
        set_by: key.actor,
        set_at: key.now,
        lifted_by: null,
        lifted_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst()
    if (set === undefined)
      throw new BusinessError('action_not_allowed', `It is suspended for ${code} already.`)
    await sayWhy(tx, subscription)
    const data = { reason, code, actor: key.actor }
    await tellOf(tx, subscription, 'subscription.suspended', { now: key.now, data })
  })
}

/**
 * Lifts a reason where others stand after it, and gives what is left; the last one is lifted by `resumeSubscription`, once the
 * instances run again.
 * @throws what `decideLift` throws
 */
export async function liftSuspension(db: Db, key: CommandKey, code: string | undefined): Promise<Lift> {
  return await within(db, async (tx) => {
    const subscription = await lockSubscription(tx, key.subscriptionId)
    const kept = await findLift(tx, key)
    if (kept !== undefined) return kept
    const lift = await decide(tx, subscription, { code, now: key.now })
    if (lift.left.length === 0) return lift
    await once(tx, key, 'resume', async () => {
      await closeSuspension(tx, subscription, { ...key, code: lift.lifted })
      await sayWhy(tx, subscription)
      const data = { code: lift.lifted, left: lift.left.join(', '), actor: key.actor }
      await tellOf(tx, subscription, 'subscription.suspension_lifted', { now: key.now, data })
    })
    return lift
  })
}

/** The answer of one that was carried out before its activity was lost. */
async function findLift(tx: Tx, { subscriptionId, requestId }: CommandKey): Promise<Lift | undefined> {
  const done = await tx
    .selectFrom('subscription_commands')
    .select('kind')
    .where('subscription_id', '=', subscriptionId)
    .where('request_id', '=', requestId)
    .executeTakeFirst()
  if (done === undefined) return undefined
  const left = (await listSuspensions(tx, subscriptionId)).map(({ code }) => code)
  return { lifted: null, left: left.length === 0 ? ['pause'] : left }
}

/** The instances run again: the last reason is lifted, and a pause in force ends, with the phase. */
export async function resumeSubscription(db: Db, key: CommandKey): Promise<void> {
  await within(db, async (tx) => {
    await resumeLines(tx, key)
    const subscription = await lockSubscription(tx, key.subscriptionId)
    await closeSuspension(tx, subscription, { ...key, code: null })
    const to = { phase: 'active', event: 'subscription.resumed', actor: key.actor, now: key.now } as const
    await setPhase(tx, key.subscriptionId, to)
  })
}

async function decide(
  tx: Tx,
  subscription: Subscription,
  { code, now }: { code: string | undefined; now: string },
): Promise<Lift> {
  const codes = (await listSuspensions(tx, subscription.id)).map((one) => one.code)
  const pause = await findPauseInForce(tx, subscription.id)
  const today = dateIn(subscription.time_zone, now)
  const isPaused = pause !== undefined && (pause.end === null || compareDates(today, pause.end) < 0)
  return decideLift({ codes, isPaused }, code)
}

/** @param lift of no code closes all that stand */
async function closeSuspension(
  tx: Tx,
  subscription: Subscription,
  { code, actor, now }: { code: string | null; actor: string; now: string },
): Promise<void> {
  let closing = tx
    .updateTable('suspensions')
    .set({ lifted_by: actor, lifted_at: now })
    .where('subscription_id', '=', subscription.id)
    .where('lifted_at', 'is', null)
  if (code !== null) closing = closing.where('code', '=', code)
  await closing.execute()
}

/** The row says in one text why it is suspended, whatever the reasons are. */
async function sayWhy(tx: Tx, { id }: Subscription): Promise<void> {
  const reasons = (await listSuspensions(tx, id)).map(({ reason }) => reason)
  const pause = reasons.length === 0 ? await findPauseInForce(tx, id) : undefined
  const text = pause === undefined ? reasons.join('; ') : (pause.reason ?? 'Paused.')
  await tx
    .updateTable('subscriptions')
    .set({ phase: 'suspended', suspended_reason: text })
    .where('id', '=', id)
    .execute()
}
