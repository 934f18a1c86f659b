import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import type { DeployedInstance } from './instance.ts'
import { insertWorkflowSignal } from './outbox.ts'
import type { SoldLimit } from './sold-limit.ts'
import { closeTasks, hasOpenTask, openTask } from './task.ts'

/** A limit that could not be set, as it was tried. */
export interface FailedLimit {
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
  readonly detail: string
}

/**
 * A sold limit could not be set: until it is, nobody knows what is in force. Noted again, the instant of the first time stays.
 * @returns since when it is not
 */
export async function noteNotInForce(db: Db, failed: FailedLimit): Promise<string> {
  const { instanceId, code, quantity } = failed
  return await db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('limits')
      .select('not_in_force_since')
      .where('instance_id', '=', instanceId)
      .where('code', '=', code)
      .forUpdate()
      .executeTakeFirst()
    if (before?.not_in_force_since != null) return before.not_in_force_since
    const { not_in_force_since: since } = await tx
      .insertInto('limits')
      .values({
        instance_id: instanceId,
        code,
        sold_quantity: quantity,
        in_force_quantity: null,
        in_force_at: null,
        not_in_force_since: sql`now()`,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['instance_id', 'code'])
          .doUpdateSet({ in_force_quantity: null, not_in_force_since: sql`now()` }),
      )
      .returning(sql<string>`not_in_force_since`.as('not_in_force_since'))
      .executeTakeFirstOrThrow()
    return since
  })
}

/** A person is told of a limit that does not hold, once for a subscription, and its timeline. */
export async function openLimitTask(
  db: Db,
  { instanceId, code, quantity, detail }: FailedLimit,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // The workflow and the sampler may be here at once: it is told once.
    await tx
      .selectFrom('limits')
      .select('code')
      .where('instance_id', '=', instanceId)
      .where('code', '=', code)
      .forUpdate()
      .execute()
    const { id, title, customer_id: customerId } = await readOwner(tx, instanceId)
    const data = { limit: code, quantity, in_force: null, answer: detail.slice(0, 200) }
    if (!(await hasOpenTask(tx, 'limit_not_in_force', id)))
      await insertEvent(tx, { kind: 'limit.refused', customerId, subscriptionId: id, data })
    await openTask(tx, {
      kind: 'limit_not_in_force',
      subjectKind: 'subscription',
      subjectId: id,
      subject: `${title}: ${code} of ${quantity} is not in force`,
      detail: `${detail.slice(0, 500).replace(/[.!?]?$/, '.')} It is tried again at each look of the server's sampler; the task closes once it holds.`,
    })
  })
}

/** The task of a subscription is done once each of its limits holds. */
export async function settleInForce(tx: Tx, instanceId: string): Promise<void> {
  const { id } = await readOwner(tx, instanceId)
  const lost = await tx
    .selectFrom('limits')
    .innerJoin('instances', 'instances.id', 'limits.instance_id')
    .select('limits.code')
    .where('instances.subscription_id', '=', id)
    .where('limits.not_in_force_since', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  if (lost === undefined)
    await closeTasks(tx, { kind: 'subscription', id, reason: 'in force' }, ['limit_not_in_force'])
}

/** Codes of limits that are set inside an instance, by command. */
export function commandedLimits({ definition }: DeployedInstance): string[] {
  return definition.limits.flatMap((limit) => ('set' in limit ? limit.code : []))
}

/**
 * Containers of an instance were made or started anew, and may know nothing of what was set in them: the subscription's workflow is
 * told, and sets it again.
 */
export async function forgetInForce(db: Db, instance: DeployedInstance): Promise<void> {
  const codes = commandedLimits(instance)
  if (codes.length === 0) return
  const { id: instanceId } = instance
  await db.transaction().execute(async (tx) => {
    const { id } = await readOwner(tx, instanceId)
    const forgotten = await tx
      .updateTable('limits')
      .set({ in_force_quantity: null, not_in_force_since: sql`coalesce(not_in_force_since, now())` })
      .where('instance_id', '=', instanceId)
      .where('code', 'in', codes)
      .where('enforcement', '<>', 'soft')
      .returning('code')
      .execute()
    if (forgotten.length === 0) return
    const workflowId = `subscription/${encodeId('subscription', id)}`
    await insertWorkflowSignal(tx, { workflowId, signal: 'limitCrossed' }, newId())
  })
}

/** Limits of instances that are to be set again, with since when. */
export async function listLost(
  db: Db,
  instanceIds: readonly string[],
): Promise<{ instanceId: string; code: string; since: string }[]> {
  const rows = await db
    .selectFrom('limits')
    .select(['instance_id', 'code', 'not_in_force_since'])
    .where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .where('not_in_force_since', 'is not', null)
    .orderBy('instance_id')
    .orderBy('code')
    .$narrowType<{ not_in_force_since: string }>()
    .execute()
  return rows.map((row) => ({ instanceId: row.instance_id, code: row.code, since: row.not_in_force_since }))
}

/** Nothing of it is sold any more, so nothing is to be set. */
export async function giveUpSetting(
  db: Db,
  { instanceId, code }: Pick<SoldLimit, 'instanceId' | 'code'>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('limits')
      .set({ not_in_force_since: null })
      .where('instance_id', '=', instanceId)
      .where('code', '=', code)
      .execute()
    await settleInForce(tx, instanceId)
  })
}

async function readOwner(db: Db, instanceId: string) {
  return await db
    .selectFrom('instances')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .select(['subscriptions.id', 'customer_id', 'title'])
    .where('instances.id', '=', instanceId)
    .executeTakeFirstOrThrow()
}
