import { continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import { database, onServer, patientDatabase } from './activities.ts'
import type { TestClockInput } from './contract.ts'

/**
 * Moves a test clock to its target, from one instant at which something is due to the next. At each, what was used is
 * read, then every subscription on the clock does its real work and is waited for.
 */
export async function testClock(input: TestClockInput): Promise<void> {
  let { fromAt } = input
  for (;;) {
    const step = await database.moveTestClock.executeWithOptions(
      { summary: 'to the next instant at which something is due' },
      [{ ...input, fromAt }],
    )
    fromAt = step.nowAt
    setCurrentDetails(
      `now ${step.nowAt}, on the way to ${input.targetAt}; ${step.subscriptionIds.length} subscriptions follow`,
    )
    // Only where something of this clock runs: a server that is out of reach holds up no other clock.
    const { serverIds } = await database.listServers.executeWithOptions({ summary: 'which servers' }, [
      { testClockId: input.testClockId },
    ])
    for (const serverId of serverIds) {
      await onServer(serverId).sampleServer.executeWithOptions({ summary: `read at ${step.nowAt}` }, [
        { serverId },
      ])
    }
    for (const subscriptionId of step.subscriptionIds) {
      await patientDatabase.tellTestClock.executeWithOptions(
        { summary: `${subscriptionId}: ${step.nowAt}` },
        [{ subscriptionId, nowAt: step.nowAt }],
      )
    }
    if (step.isThere) break
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof testClock>({ ...input, fromAt })
  }
  await database.closeTestClock.executeWithOptions({ summary: 'the clock stands' }, [input])
}
