import { database, onServerInTime } from './activities.ts'
import { toRefusal } from './failure.ts'
import { nowMs, show, update, upsertStanding, type Life } from './subscription-life.ts'

/** Histories older than this hold nothing from outside. */
export const limitsHeld = 'limits-held'

/**
 * Decides which limits are reached and has each instance held, or let go, as it follows. What a server cannot do has a task, and is
 * not tried again before something changes; what it did not do in time is tried at the next look of the sampler.
 */
export async function settleLimits(life: Life): Promise<void> {
  life.limitNews.isTold = false
  if (life.state.phase !== 'active' && life.state.phase !== 'suspended') return
  const { limited, toHold } = await database.decideLimits.executeWithOptions(
    { summary: 'which limits are reached' },
    [{ subscriptionId: life.subscriptionId, nowMs: nowMs(life) }],
  )
  update(life, { limited })
  upsertStanding(life)
  show(life)
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
