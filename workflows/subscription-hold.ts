import * as wf from '@temporalio/workflow'
import { isReached } from '#domain/agenda.ts'
import { database } from './activities.ts'
import { answerMeanwhile } from './subscription-commands.ts'
import { isAsked, nowMs, show, update, type Life } from './subscription-life.ts'

/**
 * Waits until the order is released; false once it is given up. What it waits for is settled by others, and told here by a
 * signal; what has not come in time ends here.
 */
export async function untilReleased(life: Life): Promise<boolean> {
  for (;;) {
    const { order } = life.state
    if (isGivenUp(life)) return false
    if (order?.state !== 'held') return true
    if (life.orderNews.isReleased) {
      update(life, { order: { state: 'released' } })
      return true
    }
    show(life)
    if (isReached(order.untilMs, nowMs(life))) {
      const standing = await database.expireOrder.executeWithOptions({ summary: 'waited for too long' }, [
        { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
      ])
      update(life, { order: standing })
      continue
    }
    answerMeanwhile(life)
    await news(life, order.untilMs)
    hearTheTime(life)
  }
}

/** The order has ended, or the cancellation of the subscription was asked: nothing is built, and what was is undone. */
export function isGivenUp(life: Life): boolean {
  return isAsked(life, 'cancel') || life.orderNews.isClosed || life.state.order?.state === 'ended'
}

async function news(life: Life, untilMs: number | null): Promise<void> {
  const isTold = () => life.inbox.length > 0 || life.orderNews.isReleased || life.orderNews.isClosed
  if (untilMs === null || life.state.testClockMs !== null) return await wf.condition(isTold)
  await wf.condition(isTold, untilMs - nowMs(life), { summary: 'until the order expires' })
}

/** Who tells the time is answered only once what is due then was done. */
function hearTheTime(life: Life): void {
  for (const command of life.inbox) {
    if (command.kind === 'advanceTestClock')
      update(life, { testClockMs: Math.max(life.state.testClockMs ?? 0, command.nowMs) })
  }
}
