import { patched } from '@temporalio/workflow'
import { database, onServer } from './activities.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { applySoldLimits, limitsHeld, settleLimits } from './subscription-limits.ts'
import { startDeployments, stopDeployments } from './subscription-deployment.ts'
import { nowMs, type Life } from './subscription-life.ts'

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

export async function stopInstances(life: Life, summary: string): Promise<void> {
  for (const serverId of life.state.serverIds) {
    await onServer(serverId).stopInstances.executeWithOptions({ summary }, [
      { subscriptionId: life.subscriptionId },
    ])
  }
  await stopDeployments(life)
}

/** Starts what was stopped, with its limits. What does not get ready is stopped again: nothing runs for what stays suspended. */
export async function startInstances(life: Life): Promise<Refusal | null> {
  try {
    for (const serverId of life.state.serverIds) {
      await onServer(serverId).startInstances.executeWithOptions({ summary: 'start, and see it ready' }, [
        { subscriptionId: life.subscriptionId },
      ])
    }
  } catch (error) {
    const refusal = toRefusal(error)
    await stopInstances(life, 'stop again what did not get ready')
    return refusal
  }
  const refusedThere = await startDeployments(life)
  if (refusedThere) {
    await stopInstances(life, 'stop again: it does not start elsewhere')
    return refusedThere
  }
  await applySoldLimits(life)
  if (patched(limitsHeld)) await settleLimits(life)
  await takeReadings(life, 'opening reading', true)
  return null
}
