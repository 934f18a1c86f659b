import {
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { untilNextTickMs } from '#domain/sampling-tick.ts'
import { onServer } from './activities.ts'
import { limitSignal, workflowIds, type SamplerInput } from './contract.ts'
import { toRefusal } from './failure.ts'

const ticksPerRun = 500

/**
 * Reads every instance of one server at each tick, in one activity: at once when it begins, then at instants of the server's own.
 * A missed tick of a counter costs nothing.
 */
export async function sampler(input: SamplerInput): Promise<never> {
  for (let tick = 0; tick < ticksPerRun && !workflowInfo().continueAsNewSuggested; tick += 1) {
    try {
      const sample = await onServer(input.serverId).sampleServer.executeWithOptions(
        { summary: 'read all instances' },
        [{ serverId: input.serverId }],
      )
      const failed = sample.failed.map((line) => `- ${line}`)
      for (const subscriptionId of sample.crossed ?? []) await tellOfLimit(subscriptionId)
      setCurrentDetails([`${sample.instances} instances, ${sample.readings} readings`, ...failed].join('\n'))
    } catch (error) {
      setCurrentDetails(`the last tick failed: ${toRefusal(error).detail}`)
    }
    await sleep(untilNextTickMs({ ...input, nowMs: Date.now() }), { summary: 'until the next tick' })
  }
  return await continueAsNew<typeof sampler>(input)
}

/** What is done about it is seen in the subscription's own history. One that has no workflow now is told at a later tick. */
async function tellOfLimit(subscriptionId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowIds.subscription(subscriptionId)).signal(limitSignal)
  } catch {
    return
  }
}
