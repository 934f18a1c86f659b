import * as wf from '@temporalio/workflow'
import { database } from './activities.ts'
import { cancelBuildSignal, workflowIds, type BuildResult } from './contract.ts'
import { toRefusal } from './failure.ts'
import { answerMeanwhile } from './subscription-commands.ts'
import { isGivenUp } from './subscription-hold.ts'
import { nowMs, type Life } from './subscription-life.ts'

/** A build or unbuild order under way. */
interface RunningBuildOrder {
  readonly result: Promise<BuildResult>
  /** Asks it to stop between two steps and undo what it made. */
  readonly cancel: () => Promise<void>
}

/** Builds what was sold. A cancellation reaches it between two steps, and counts until the subscription is active. */
export async function runBuild(life: Life): Promise<BuildResult> {
  const order = await startBuildOrder(life, 'build')
  let result: BuildResult | undefined
  const finished = order.result.then((value) => (result = value))
  while (!result && !isGivenUp(life)) {
    await wf.condition(() => result !== undefined || life.inbox.length > 0 || life.orderNews.isClosed)
    answerMeanwhile(life)
  }
  if (!result) await order.cancel()
  const built = await finished
  if (!isGivenUp(life)) return built
  return {
    state: 'cancelled',
    code: 'cancelled',
    detail: 'The subscription was cancelled before it was active.',
  }
}

/**
 * Plans the order and starts its workflow, with a row of its own in Temporal's list. A subscription whose own workflow was lost and
 * started again may find it running, or done: then its rows tell how it ends.
 */
export async function startBuildOrder(life: Life, kind: 'build' | 'unbuild'): Promise<RunningBuildOrder> {
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
