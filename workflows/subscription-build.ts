import * as wf from '@temporalio/workflow'
import { database } from './activities.ts'
import { cancelBuildSignal, workflowIds, type BuildResult } from './contract.ts'
import { toRefusal } from './failure.ts'
import { answerMeanwhile } from './subscription-commands.ts'
import { isGivenUp } from './subscription-hold.ts'
import { nowMs, type Life } from './subscription-life.ts'

/** Something that is built, or taken down. */
interface RunningBuild {
  readonly result: Promise<BuildResult>
  /** Asks it to stop and undo what it made. */
  readonly cancel: () => Promise<void>
}

/** Builds what was sold. A cancellation reaches it between two steps. */
export async function runBuild(life: Life): Promise<BuildResult> {
  return await untilFinishedOrGivenUp(life, await startBuildOrder(life, 'build'))
}

/** Answers commands meanwhile. A cancellation counts until the subscription is active, whatever was built by then. */
export async function untilFinishedOrGivenUp(life: Life, running: RunningBuild): Promise<BuildResult> {
  let result: BuildResult | undefined
  const finished = running.result.then((value) => (result = value))
  while (!result && !isGivenUp(life)) {
    await wf.condition(() => result !== undefined || life.inbox.length > 0 || life.orderNews.isClosed)
    answerMeanwhile(life)
  }
  if (!result) await running.cancel()
  const built = await finished
  return isGivenUp(life) ? givenUp : built
}

export const givenUp = {
  state: 'cancelled',
  code: 'cancelled',
  detail: 'The subscription was cancelled before it was active.',
} as const

/**
 * Plans the order and starts its workflow, with a row of its own in Temporal's list. A subscription whose own workflow was lost and
 * started again may find it running, or done: then its rows tell how it ends.
 */
export async function startBuildOrder(life: Life, kind: 'build' | 'unbuild'): Promise<RunningBuild> {
  const summary = kind === 'build' ? 'plan the build' : 'plan the way back'
  const ticket = await database.openBuildOrder.executeWithOptions({ summary }, [
    { subscriptionId: life.subscriptionId, kind, nowMs: nowMs(life) },
  ])
  const workflowId = workflowIds[kind](ticket.buildOrderId)
  try {
    const child = await wf.startChild(kind, {
      workflowId,
      args: [ticket],
      parentClosePolicy: 'ABANDON',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      staticSummary: `${kind} of ${life.state.title}`,
      staticDetails: `For subscription ${life.subscriptionId}.`,
      typedSearchAttributes: wf.workflowInfo().typedSearchAttributes.updateCopy([]),
    })
    return {
      result: (child.result() as Promise<BuildResult>).catch(toFailedResult),
      cancel: async () => await child.signal(cancelBuildSignal).catch(isOver),
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')) throw error
    const running = wf.getExternalWorkflowHandle(workflowId)
    return {
      result: untilClosed(ticket.buildOrderId),
      cancel: async () => await running.signal(cancelBuildSignal).catch(isOver),
    }
  }
}

/** A build that was ended from outside is a failed one: the subscription is parked, not lost. */
function toFailedResult(error: unknown): BuildResult {
  return { state: 'failed', ...toRefusal(error) }
}

/** A build that has just ended needs no signal any more: its result tells. A cancellation is raised again. */
function isOver(error: unknown): void {
  if (wf.isCancellation(error)) throw error
  wf.log.info('the build had ended before it could be told to stop')
}

const lookAgainMs = 5_000

async function untilClosed(buildOrderId: string): Promise<BuildResult> {
  for (;;) {
    const { result } = await database.readBuildResult.executeWithOptions(
      { summary: 'how the order stands' },
      [{ buildOrderId }],
    )
    if (result) return result
    await wf.sleep(lookAgainMs, { summary: 'the order is still under way' })
  }
}
