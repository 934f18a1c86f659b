import { isDeepStrictEqual } from 'node:util'
import { sql, type Selectable } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import {
  decideLimits,
  spendLimit,
  type InstanceDecision,
  type LimitDecision,
  type LimitStanding,
} from '#domain/limit-hold.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import {
  getDeployedInstance,
  listDeployedInstances,
  setInstanceState,
  type DeployedInstance,
} from './instance.ts'
import { listToSet } from './limit.ts'
import { withDefinitions } from './limit-use.ts'
import { keyOfLimit, listSoldLimits, type SoldLimit } from './sold-limit.ts'
import { lockSubscription } from './subscription.ts'
import type { LimitsTable } from './tables/build.ts'

/** What would be decided now, by instance; nothing is written. */
export async function foreseeLimits(
  db: Db,
  instances: readonly DeployedInstance[],
  sold: readonly SoldLimit[],
): Promise<Map<string, InstanceDecision>> {
  if (instances.length === 0) return new Map()
  const standings = await readStandings(db, instances, sold)
  return new Map(
    instances.flatMap((instance) => {
      const limits = standings.get(instance.id)
      return limits === undefined
        ? []
        : [[instance.id, decideLimits(instance.definition, { state: instance.state, limits })] as const]
    }),
  )
}

/** Rows beside what is sold; of an instance of which nothing is sold any more, what is still held is let go. */
async function readStandings(
  db: Db,
  instances: readonly DeployedInstance[],
  sold: readonly SoldLimit[],
): Promise<Map<string, LimitStanding[]>> {
  const rows = await db
    .selectFrom('limits')
    .selectAll()
    .where('instance_id', '=', sql<string>`any(${instances.map(({ id }) => id)}::uuid[])`)
    .orderBy('instance_id')
    .orderBy('code')
    .execute()
  const known = new Map(sold.map((limit) => [keyOfLimit(limit), limit]))
  const standings = rows.map((row) => ({
    instanceId: row.instance_id,
    standing: toStanding(row, known.get(keyOfLimit({ instanceId: row.instance_id, code: row.code }))),
  }))
  return new Map(
    [...Map.groupBy(standings, ({ instanceId }) => instanceId)].map(([id, of]) => [
      id,
      of.map(({ standing }) => standing),
    ]),
  )
}

function toStanding(row: Selectable<LimitsTable>, sold: SoldLimit | undefined): LimitStanding {
  return {
    code: row.code,
    enforcement: sold?.enforcement ?? row.enforcement,
    use: useOf(row, sold),
    isReached: row.reached_at !== null,
    hold: row.hold,
    isSettled: row.held_at !== null || row.hold_failure !== null,
  }
}

/** What is sold no more has no ceiling, and is not reached. */
function useOf(
  { code, used_quantity: used, sold_quantity: ceiling }: Selectable<LimitsTable>,
  sold: SoldLimit | undefined,
) {
  if (code === spendLimit) return used === null ? null : { used, ceiling }
  if (sold === undefined) return { used: '0', ceiling: '1' }
  return used === null ? null : { used, ceiling: sold.quantity }
}

export interface DecidedLimits {
  /** Codes of what is reached and held. */
  readonly limited: readonly string[]
  /** Instances to which something is to be done. */
  readonly toHold: readonly DeployedInstance[]
  /**
   * What is sold otherwise than it was set last, for what is sold on top of a limit begins and ends without a change of the line; and
   * what is to be set again.
   */
  readonly toSet: readonly { readonly limit: SoldLimit; readonly instance: DeployedInstance }[]
}

/**
 * Writes down which limits of a subscription are reached now, and tells of what changed; what has to be done to instances is left to
 * their server. Decided again, it changes nothing and names what is still to be done.
 * @param at.lostSince what was not in force then already is not set again here
 */
export async function decideSubscriptionLimits(
  db: Db,
  subscriptionId: string,
  { now, lostSince }: { readonly now: string; readonly lostSince: string },
): Promise<DecidedLimits> {
  return await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const all = await listDeployedInstances(tx, { subscriptionId })
    const instances = all.filter(({ state }) => state === 'running' || state === 'limited')
    const sold = await listSoldLimits(tx, { subscriptionId }, now)
    const decisions = await foreseeLimits(tx, instances, sold)
    const toHold: DeployedInstance[] = []
    for (const instance of instances) {
      const decision = decisions.get(instance.id)
      if (decision === undefined) continue
      for (const changed of decision.changed)
        await writeDecision(tx, { subscription, instance, sold, now }, changed)
      // Seen at once that it is limited; that it is not any more is seen once nothing holds it.
      if (decision.state === 'limited') await setInstanceState(tx, instance.id, 'limited')
      if (decision.isToBeHeld) toHold.push(instance)
    }
    return {
      limited: await listLimited(tx, subscriptionId),
      toHold,
      toSet: await listToSet(tx, withDefinitions(instances, sold), lostSince),
    }
  })
}

interface DecisionScope {
  readonly subscription: { readonly id: string; readonly customer_id: string }
  readonly instance: DeployedInstance
  readonly sold: readonly SoldLimit[]
  readonly now: string
}

async function writeDecision(
  tx: Tx,
  { subscription, instance, sold, now }: DecisionScope,
  { code, isReached, hold }: LimitDecision,
): Promise<void> {
  const before = await tx
    .selectFrom('limits')
    .select(['reached_at', 'used_quantity', 'sold_quantity', 'enforcement'])
    .where('instance_id', '=', instance.id)
    .where('code', '=', code)
    .executeTakeFirstOrThrow()
  await tx
    .updateTable('limits')
    .set({
      reached_at: isReached ? (before.reached_at ?? new Date().toISOString()) : null,
      hold: hold === null ? null : JSON.stringify(hold),
      held_at: null,
      hold_failure: null,
    })
    .where('instance_id', '=', instance.id)
    .where('code', '=', code)
    .execute()
  if (isReached === (before.reached_at !== null)) return
  const limit = sold.find((one) => one.instanceId === instance.id && one.code === code)
  await insertEvent(tx, {
    kind: isReached ? 'limit.reached' : 'limit.lifted',
    customerId: subscription.customer_id,
    subscriptionId: subscription.id,
    businessAt: now,
    data: {
      instance: encodeId('instance', instance.id),
      limit: code,
      used: before.used_quantity,
      sold: limit?.quantity ?? null,
      unit: limit?.unit ?? null,
      enforcement: limit?.enforcement ?? before.enforcement,
      way: hold?.way ?? null,
    },
  })
}

/** Codes of limits of a subscription that are reached and not only warned of. */
export async function listLimited(db: Db, subscriptionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('limits')
    .innerJoin('instances', 'instances.id', 'limits.instance_id')
    .select('limits.code')
    .distinct()
    .where('instances.subscription_id', '=', subscriptionId)
    .where('limits.reached_at', 'is not', null)
    .where('limits.enforcement', '<>', 'soft')
    .where('instances.destroyed_at', 'is', null)
    .orderBy('limits.code')
    .execute()
  return rows.map(({ code }) => code)
}

/**
 * Its holds were seen in force, or seen gone: its state says so, and the timeline which and when. Where others were decided since it was
 * read, nothing is seen of those yet.
 */
export async function settleHolds(db: Db, instance: DeployedInstance): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { customer_id: customerId } = await lockSubscription(tx, instance.subscriptionId)
    const { state, planned } = await getDeployedInstance(tx, instance.id)
    if (!isDeepStrictEqual(planned.holds, instance.planned.holds)) return
    const held = await tx
      .updateTable('limits')
      .set({ held_at: new Date().toISOString(), hold_failure: null })
      .where('instance_id', '=', instance.id)
      .where('hold', 'is not', null)
      .where('held_at', 'is', null)
      .returning(['code', 'hold'])
      .execute()
    const isLimited = await isAnyReached(tx, instance.id)
    // What was stopped or cancelled meanwhile is neither.
    if (state === 'running' || state === 'limited')
      await setInstanceState(tx, instance.id, isLimited ? 'limited' : 'running')
    for (const { code, hold } of held)
      await insertEvent(tx, {
        kind: 'limit.held',
        customerId,
        subscriptionId: instance.subscriptionId,
        data: { instance: encodeId('instance', instance.id), limit: code, ...hold },
      })
  })
}

async function isAnyReached(db: Db, instanceId: string): Promise<boolean> {
  const row = await db
    .selectFrom('limits')
    .select('code')
    .where('instance_id', '=', instanceId)
    .where('reached_at', 'is not', null)
    .where('enforcement', '<>', 'soft')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** It cannot be held: it is not tried at each look, until something about it changes. */
export async function noteHoldFailure(db: Db, instanceId: string, detail: string): Promise<void> {
  await db
    .updateTable('limits')
    .set({ hold_failure: detail })
    .where('instance_id', '=', instanceId)
    .where('hold', 'is not', null)
    .where('held_at', 'is', null)
    .execute()
}
