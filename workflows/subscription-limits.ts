import { patched } from '@temporalio/workflow'
import { limitPatienceMs } from '#domain/limit-hold.ts'
import type { LimitTicket } from '#activities/limit.ts'
import { database, onServerInTime, onServerWithin } from './activities.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { nowMs, show, update, upsertStanding, type Life } from './subscription-life.ts'

/** Histories older than this hold nothing from outside. */
export const limitsHeld = 'limits-held'
/** Histories older than this did not look, when what is sold changed by the calendar, whether less is reached by it. */
export const limitsSettledOnChange = 'limits-settled-on-change'

/** Histories older than this told at once of a limit that was refused, and never of one whose server was away. */
const limitsInsisted = 'limits-insisted'

/**
 * Sets every limit that is sold today. All together are tried so long as each may not be in force; what does not hold by then has a
 * task, the server's sampler goes on trying it, and the rest go on.
 */
export async function applySoldLimits(life: Life): Promise<void> {
  const limits = await database.listSoldLimits.executeWithOptions({ summary: 'which limits are sold' }, [
    { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
  ])
  await setLimits(life, limits, limits[0]?.withinMs)
}

/** Where one has taken all of the time, each of the rest is tried for a moment. */
const leastTryMs = 5_000

async function setLimits(
  life: Life,
  limits: readonly (LimitTicket & { readonly serverId: string; readonly withinMs?: number })[],
  withinMs = limitPatienceMs,
): Promise<void> {
  const untilMs = Date.now() + withinMs
  for (const { serverId, withinMs: _, ...limit } of limits) {
    const tryMs = Math.max(Math.min(leastTryMs, withinMs), untilMs - Date.now())
    try {
      await onServerWithin(serverId, tryMs).applyLimit.executeWithOptions(
        { summary: `limit ${limit.code} is ${limit.quantity}` },
        [{ ...limit, isSold: true }],
      )
    } catch (error) {
      await tellOfRefusal(life, limit, toRefusal(error))
    }
  }
}

/** What no application can hold is not tried again. */
async function tellOfRefusal(life: Life, limit: LimitTicket, refusal: Refusal): Promise<void> {
  const summary = `limit ${limit.code} is not in force`
  if (refusal.code !== 'limit_not_enforceable' && patched(limitsInsisted))
    await database.noteLimitNotInForce.executeWithOptions({ summary }, [{ ...limit, detail: refusal.detail }])
  else
    await database.openSubscriptionTask.executeWithOptions({ summary }, [
      { subscriptionId: life.subscriptionId, kind: 'limit_refused', ...refusal },
    ])
}

/**
 * Sets what is sold otherwise than it was set last, decides which limits are reached, and has each instance held, or let go, as it
 * follows. What a server cannot do has a task, and is not tried again before something changes; what it did not do in time is tried
 * at the next look of the sampler.
 */
export async function settleLimits(life: Life): Promise<void> {
  life.limitNews.isTold = false
  if (life.state.phase !== 'active' && life.state.phase !== 'suspended') return
  const { limited, toHold, toSet, withinMs, agenda } = await database.decideLimits.executeWithOptions(
    { summary: 'which limits are reached' },
    [{ subscriptionId: life.subscriptionId, nowMs: nowMs(life) }],
  )
  update(life, { limited, ...(agenda ? { agenda } : {}) })
  upsertStanding(life)
  show(life)
  // Left out of histories older than quantities on top of a limit.
  await setLimits(life, toSet ?? [], withinMs)
  for (const { instanceId, serverId } of toHold) {
    const summary = limited.length > 0 ? `held at ${limited.join(', ')}` : 'held by nothing any more'
    try {
      await onServerInTime(serverId).holdInstance.executeWithOptions({ summary }, [{ instanceId }])
    } catch (error) {
      await tellOfFailure(life, instanceId, toRefusal(error))
    }
  }
}

async function tellOfFailure(life: Life, instanceId: string, refusal: Refusal): Promise<void> {
  if (refusal.code !== 'failed')
    await database.noteHoldFailure.executeWithOptions({ summary: `cannot be held: ${refusal.code}` }, [
      { instanceId, ...refusal },
    ])
  await database.openSubscriptionTask.executeWithOptions({ summary: `not held: ${refusal.code}` }, [
    { subscriptionId: life.subscriptionId, kind: 'limit_refused', ...refusal },
  ])
}
