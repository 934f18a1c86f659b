import {
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { nextLook, untilNextTickMs } from '#domain/sampling-tick.ts'
import { onServer } from './activities.ts'
import { limitSignal, workflowIds, type SamplerInput } from './contract.ts'
import { toRefusal } from './failure.ts'

const ticksPerRun = 500

/**
 * Reads every instance of one server at each tick, in one activity: at once when it begins, then at instants of the server's own.
 * Between ticks only that is read whose own interval is over, and limits are looked at that nothing but a reading shows to be crossed,
 * where there are any. A missed tick of a counter costs nothing.
 */
export async function sampler(input: SamplerInput): Promise<never> {
  let between: Between = { isWatched: false }
  for (let tick = 0; tick < ticksPerRun && !workflowInfo().continueAsNewSuggested; tick += 1) {
    try {
      const sample = await onServer(input.serverId).sampleServer.executeWithOptions(
        { summary: 'read all instances' },
        [{ serverId: input.serverId }],
      )
      const failed = sample.failed.map((line) => `- ${line}`)
      between = { isWatched: sample.isWatched ?? false, lookEveryMs: sample.lookEveryMs }
      for (const subscriptionId of sample.crossed ?? []) await tellOfLimit(subscriptionId)
      setCurrentDetails([`${sample.instances} instances, ${sample.readings} readings`, ...failed].join('\n'))
    } catch (error) {
      setCurrentDetails(`the last tick failed: ${toRefusal(error).detail}`)
    }
    await untilTick(input, between)
  }
  return await continueAsNew<typeof sampler>(input)
}

/** What is to be looked at between ticks, as the last tick found. */
interface Between {
  readonly isWatched: boolean
  readonly lookEveryMs?: number | undefined
}

async function untilTick(input: SamplerInput, between: Between): Promise<void> {
  const tickAtMs = Date.now() + untilNextTickMs({ ...input, nowMs: Date.now() })
  for (;;) {
    const { kind, waitMs } = nextLook({ ...between, serverId: input.serverId, tickAtMs, nowMs: Date.now() })
    if (kind === 'tick') return await sleep(waitMs, { summary: 'until the next tick' })
    await sleep(waitMs, { summary: 'until what is due is looked at' })
    await lookAtLimits(input.serverId)
  }
}

async function lookAtLimits(serverId: string): Promise<void> {
  try {
    const { crossed } = await onServer(serverId).lookAtLimits.executeWithOptions(
      { summary: 'read what is due, look at limits that only readings show' },
      [{ serverId }],
    )
    for (const subscriptionId of crossed) await tellOfLimit(subscriptionId)
  } catch (error) {
    setCurrentDetails(`limits could not be looked at: ${toRefusal(error).detail}`)
  }
}

/** What is done about it is seen in the subscription's own history. One that has no workflow now is told at a later tick. */
async function tellOfLimit(subscriptionId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowIds.subscription(subscriptionId)).signal(limitSignal)
  } catch {
    return
  }
}
