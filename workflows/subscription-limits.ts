import type { LimitTicket } from '#activities/limit.ts'
import { database, onServer, onServerInTime } from './activities.ts'
import { toRefusal } from './failure.ts'
import { nowMs, show, update, upsertStanding, type Life } from './subscription-life.ts'

/** Histories older than this hold nothing from outside. */
export const limitsHeld = 'limits-held'
/** Histories older than this did not look, when what is sold changed by the calendar, whether less is reached by it. */
export const limitsSettledOnChange = 'limits-settled-on-change'

/** Sets every limit that is sold today; one that does not hold has a task, and the rest go on. */
export async function applySoldLimits(life: Life): Promise<void> {
  const limits = await database.listSoldLimits.executeWithOptions({ summary: 'which limits are sold' }, [
    { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
  ])
  for (const limit of limits) await setLimit(life, limit)
}

async function setLimit(
  life: Life,
  { serverId, ...limit }: LimitTicket & { serverId: string },
): Promise<void> {
  try {
    await onServer(serverId).applyLimit.executeWithOptions(
      { summary: `limit ${limit.code} is ${limit.quantity}` },
      [limit],
    )
  } catch (error) {
    await database.openSubscriptionTask.executeWithOptions(
      { summary: `limit ${limit.code} is not in force` },
      [{ subscriptionId: life.subscriptionId, kind: 'limit_refused', ...toRefusal(error) }],
    )
  }
}

/**
 * Sets what is sold otherwise than it was set last, decides which limits are reached, and has each instance held, or let go, as it
 * follows. What a server cannot do has a task, and is not tried again before something changes; what it did not do in time is tried
 * at the next look of the sampler.
 */
export async function settleLimits(life: Life): Promise<void> {
  life.limitNews.isTold = false
  if (life.state.phase !== 'active' && life.state.phase !== 'suspended') return
  const { limited, toHold, toSet, agenda } = await database.decideLimits.executeWithOptions(
    { summary: 'which limits are reached' },
    [{ subscriptionId: life.subscriptionId, nowMs: nowMs(life) }],
  )
  update(life, { limited, ...(agenda ? { agenda } : {}) })
  upsertStanding(life)
  show(life)
  // Left out of histories older than quantities on top of a limit.
  for (const limit of toSet ?? []) await setLimit(life, limit)
  for (const { instanceId, serverId } of toHold) {
    const summary = limited.length > 0 ? `held at ${limited.join(', ')}` : 'held by nothing any more'
    try {
      await onServerInTime(serverId).holdInstance.executeWithOptions({ summary }, [{ instanceId }])
    } catch (error) {
      await tellOfFailure(life, instanceId, toRefusal(error))
    }
  }
}

async function tellOfFailure(
  life: Life,
  instanceId: string,
  refusal: { code: string; detail: string },
): Promise<void> {
  if (refusal.code !== 'failed')
    await database.noteHoldFailure.executeWithOptions({ summary: `cannot be held: ${refusal.code}` }, [
      { instanceId, ...refusal },
    ])
  await database.openSubscriptionTask.executeWithOptions({ summary: `not held: ${refusal.code}` }, [
    { subscriptionId: life.subscriptionId, kind: 'limit_refused', ...refusal },
  ])
}
