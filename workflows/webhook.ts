import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { DatabaseActivities } from '#activities/index.ts'
import type { WebhookTurn } from '#activities/webhook.ts'
import { heartbeatTimeout } from './activities.ts'
import { deliveriesWaitSignal, type WebhookInput } from './contract.ts'

/** A turn fails with nothing but our own database: what receivers answer is in its rows. */
const patient = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '3 m',
  heartbeatTimeout,
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '1 m' },
})

/** A receiver that is away for five days takes some hundred turns. */
const turnsOfARun = 100

/**
 * Where events are posted to, for as long as it is not deleted: what waits is posted at once, and again what was not taken. It sleeps until
 * something waits, or is to be tried again.
 */
export async function webhook({ webhookId, delivered: before = 0 }: WebhookInput): Promise<void> {
  let isAwake = false
  setHandler(defineSignal(deliveriesWaitSignal), () => {
    isAwake = true
  })
  let delivered = before
  for (let turns = 0; turns < turnsOfARun && !workflowInfo().continueAsNewSuggested; turns += 1) {
    isAwake = false
    const turn = await patient.postWebhookDeliveries.executeWithOptions({ summary: 'post what is due' }, [
      { webhookId },
    ])
    delivered += turn.delivered
    if (turn.state === 'deleted') return
    setCurrentDetails(tellOf(turn, delivered))
    if (turn.waitMs === null) await condition(() => isAwake)
    else if (turn.waitMs > 0)
      await condition(() => isAwake, turn.waitMs, { summary: 'until something is tried again' })
  }
  await continueAsNew<typeof webhook>({ webhookId, delivered })
}

function tellOf({ failed, waitMs, state }: WebhookTurn, delivered: number): string {
  const sum = `${delivered} delivered so far`
  if (state === 'disabled') return `disabled; ${sum}`
  if (waitMs === null) return `nothing waits; ${sum}`
  if (waitMs === 0) return `posts what waits; ${sum}`
  return `${failed} failed in the last turn, tried again in ${Math.ceil(waitMs / 1_000)} s; ${sum}`
}
