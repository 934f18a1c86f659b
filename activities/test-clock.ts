import { WorkflowNotFoundError } from '@temporalio/client'
import { billLateUsage } from '#db/late-bill.ts'
import { billLoneOneOffs } from '#db/lone-one-off.ts'
import {
  findNextClockStep,
  listClockSubscriptions,
  moveTestClock,
  settleTestClock,
} from '#db/test-clock-step.ts'
import { watchUsage } from '#db/usage-watch.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'

/** A test clock moves from one instant at which something is due to the next, and all that live on it follow. */
export function createTestClockActivities({ db, client }: DatabaseDependencies) {
  return {
    /**
     * Moves the clock from an instant at which all was done to the next due one, at most to the target, and says where it
     * stands. Called again after it took effect, it moves nothing.
     */
    async moveTestClock(input: {
      testClockId: string
      targetAt: string
      fromAt: string
    }): Promise<{ nowAt: string; isThere: boolean; subscriptionIds: string[] }> {
      const id = decodeId('testClock', input.testClockId)
      const to = await findNextClockStep(db, id, input.targetAt)
      const nowAt = await moveTestClock(db, id, { from: input.fromAt, to })
      const subscriptionIds = await listClockSubscriptions(db, id)
      return {
        nowAt,
        isThere: Date.parse(nowAt) >= Date.parse(input.targetAt),
        subscriptionIds: subscriptionIds.map((subscriptionId) => encodeId('subscription', subscriptionId)),
      }
    },

    /** Tells one subscription what time it is, and waits until it has done what is due. One that ended has nothing to do. */
    async tellTestClock(input: { subscriptionId: string; nowAt: string }): Promise<void> {
      const requestId = `clock/${input.subscriptionId}/${input.nowAt}`
      const handle = client.workflow.getHandle(`subscription/${input.subscriptionId}`)
      try {
        await handle.executeUpdate('advanceTestClock', {
          updateId: requestId,
          args: [{ kind: 'advanceTestClock', requestId, nowMs: Date.parse(input.nowAt) }],
        })
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error
      }
      await watchUsage(db, { subscriptionId: decodeId('subscription', input.subscriptionId) }, input.nowAt)
    },

    async closeTestClock(input: { testClockId: string; targetAt: string }): Promise<void> {
      const testClockId = decodeId('testClock', input.testClockId)
      await billLateUsage(db, { testClockId, now: input.targetAt })
      await billLoneOneOffs(db, { testClockId, now: input.targetAt })
      await settleTestClock(db, testClockId, input.targetAt)
    },
  }
}
