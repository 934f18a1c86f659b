import { database, onServer } from './activities.ts'
import { toRefusal } from './failure.ts'
import { nowMs, type Life } from './subscription-life.ts'

/** Sets every limit that is sold today; one that does not hold has a task, and the rest go on. */
export async function applySoldLimits(life: Life): Promise<void> {
  const limits = await database.listSoldLimits.executeWithOptions({ summary: 'which limits are sold' }, [
    { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
  ])
  for (const { serverId, ...limit } of limits) {
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
}

/** An opening reading is where counting starts, a closing one where it ends. */
export async function takeReadings(life: Life, summary: string, isOpening: boolean): Promise<void> {
  for (const serverId of life.state.serverIds) {
    await onServer(serverId).takeReadings.executeWithOptions({ summary }, [
      { subscriptionId: life.subscriptionId, isOpening, nowMs: nowMs(life) },
    ])
  }
}

export async function readAgenda(life: Life) {
  return await database.readAgenda.executeWithOptions({ summary: 'read what is due' }, [
    { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
  ])
}
