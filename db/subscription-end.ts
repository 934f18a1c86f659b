import { refuseRequestsOfEnded } from './change-decision.ts'
import { within, type Db } from './database.ts'
import { setPhase, type PhaseReason } from './subscription.ts'
import { closeTasks } from './task.ts'
import { withdrawWaitingOfEnded } from './waiting-decision.ts'

/**
 * Ends a subscription together with what waits on it: whoever sees it ended sees no change of it open any more. Ending it again
 * changes nothing.
 */
export async function endSubscription(
  db: Db,
  subscriptionId: string,
  to: { now: string } & PhaseReason,
): Promise<void> {
  await within(db, async (tx) => {
    await setPhase(tx, subscriptionId, { ...to, phase: 'ended' })
    await refuseRequestsOfEnded(tx, subscriptionId, to.now)
    await withdrawWaitingOfEnded(tx, subscriptionId, to.now)
    await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'ended' }, [
      'limit_not_in_force',
    ])
  })
}
