import { patched } from '@temporalio/workflow'
import type { Enforcement } from '#domain/terms.ts'
import { database, onServerAtOnce } from './activities.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { keyOf, nowMs, update, type CommandOf, type Life } from './subscription-life.ts'
import { limitsHeld, settleLimits } from './subscription-limits.ts'

/**
 * The instance is changed first: the new line counts once the change was observed. Less than is used is refused, or waits until it
 * fits, as was asked.
 */
export async function changePlan(life: Life, command: CommandOf<'changePlan'>): Promise<Refusal | null> {
  const asked = {
    subscriptionLineId: command.subscriptionLineId,
    ...(command.quantity === undefined ? {} : { quantity: command.quantity }),
  }
  const change = await database.previewChange.executeWithOptions({ summary: 'what the change means' }, [
    { ...keyOf(life, command), ...asked },
  ])
  if (change.instanceId !== null && change.limitCode !== null) {
    const refusal = await changeLimit(life, {
      direction: change.direction,
      instanceId: change.instanceId,
      code: change.limitCode,
      quantity: ceilingOf(change),
      unit: change.unit,
      enforcement: change.enforcement,
    })
    if (refusal && 'inUse' in refusal && change.isToWait) return await planWaiting(life, command, refusal)
    if (refusal) return refusal
  }
  const agenda = await database.changeSubscription.executeWithOptions(
    { summary: `${change.direction} to ${change.quantity} on ${change.effectiveOn}` },
    [{ ...keyOf(life, command), ...asked }],
  )
  update(life, { agenda })
  if (patched(limitsHeld)) await settleLimits(life)
  return null
}

/** Histories older than quantities on top of a limit have one line of each. */
function ceilingOf({ ceiling, quantity }: { ceiling?: string; quantity: string }): string {
  return ceiling ?? quantity
}

/** Kept until no more is used than it leaves. */
async function planWaiting(life: Life, command: CommandOf<'changePlan'>, { inUse }: BelowUse): Promise<null> {
  const { subscriptionLineId, quantity } = command
  const agenda = await database.planWaitingChange.executeWithOptions(
    { summary: `${inUse} are used: it waits until it fits` },
    [
      {
        ...keyOf(life, command),
        subscriptionLineId,
        ...(quantity === undefined ? {} : { quantity }),
        used: inUse,
      },
    ],
  )
  update(life, { agenda })
  return null
}

export async function withdrawChange(life: Life, command: CommandOf<'withdrawChange'>): Promise<null> {
  const agenda = await database.withdrawChange.executeWithOptions({ summary: 'a change waits no longer' }, [
    { ...keyOf(life, command), waitingChangeId: command.waitingChangeId },
  ])
  update(life, { agenda })
  return null
}

interface BelowUse extends Refusal {
  readonly inUse: number
}

interface LimitChange {
  readonly direction: 'upgrade' | 'downgrade'
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
  readonly unit?: string
  readonly enforcement?: Enforcement
}

/** More is set in the instance at once; less only has to fit what is used. What does not hold has a task. */
export async function changeLimit(life: Life, limit: LimitChange): Promise<Refusal | BelowUse | null> {
  const serverId = await serverOf(life, limit.instanceId)
  if (serverId === null) return null
  try {
    const { direction, ...ticket } = limit
    if (direction === 'downgrade') return await refuseBelowUse(serverId, limit)
    await onServerAtOnce(serverId).applyLimit.executeWithOptions(
      { summary: `limit ${limit.code} is ${limit.quantity}` },
      [ticket],
    )
    return null
  } catch (error) {
    const refusal = orLate(toRefusal(error))
    await database.openSubscriptionTask.executeWithOptions({ summary: `limit ${limit.code} was refused` }, [
      { subscriptionId: life.subscriptionId, kind: 'limit_refused', ...refusal },
    ])
    return refusal
  }
}

async function refuseBelowUse(serverId: string, limit: LimitChange): Promise<BelowUse | null> {
  const { inUse } = await onServerAtOnce(serverId).readLimit.executeWithOptions(
    { summary: `how much of ${limit.code} is used` },
    [{ instanceId: limit.instanceId, code: limit.code }],
  )
  if (inUse <= Number(limit.quantity)) return null
  return {
    inUse,
    code: 'below_current_use',
    detail: `${inUse} are in use; ${limit.quantity} cannot be sold before fewer are.`,
  }
}

/** A failure without a code of its own is an instance that did not do it in time. */
function orLate(refusal: Refusal): Refusal {
  if (refusal.code !== 'failed') return refusal
  return {
    code: 'limit_not_in_force',
    detail: `The instance did not do it within a minute: ${refusal.detail}`,
  }
}

async function serverOf(life: Life, instanceId: string): Promise<string | null> {
  const limits = await database.listSoldLimits.executeWithOptions({ summary: 'where the instance is' }, [
    { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
  ])
  return limits.find((limit) => limit.instanceId === instanceId)?.serverId ?? null
}
