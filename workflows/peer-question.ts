import { ActivityFailure, TimeoutFailure, proxyActivities } from '@temporalio/workflow'
import type { DatabaseActivities } from '#activities/index.ts'
import { database, heartbeatTimeout } from './activities.ts'
import type { PeerQuestionInput } from './contract.ts'
import { toRefusal, type Refusal } from './failure.ts'

/** Who asks waits: an answer comes within seconds, or why there is none. */
const prompt = proxyActivities<DatabaseActivities>({
  scheduleToCloseTimeout: '20 s',
  heartbeatTimeout,
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '5 s' },
})

/** Asks another installation what a person wants to know of it. What is asked, and what it says, are in its row. */
export async function peerQuestion({ questionId }: PeerQuestionInput): Promise<void> {
  try {
    await prompt.askPeer.executeWithOptions({ summary: 'ask the other installation' }, [{ questionId }])
  } catch (error) {
    const { code, detail } = silenceOf(error) ?? toRefusal(error)
    await database.refusePeerQuestion.executeWithOptions({ summary: `no answer: ${code}` }, [
      { questionId, code, detail },
    ])
  }
}

/** Nobody answered in time: why the last try came to nothing says more than that the time is up. */
function silenceOf(error: unknown): Refusal | null {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return null
  const { cause: last } = error.cause
  return { code: 'peer_unreachable', detail: last?.message ?? 'No worker took the question up in time.' }
}
