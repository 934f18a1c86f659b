import {
  CancellationScope,
  defineSignal,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow'
import type { BuildTicket, StepTicket } from '#activities/build.ts'
import { database, onServer, onServerForLong } from './activities.ts'
import { cancelBuildSignal, searchAttributes, type BuildResult } from './contract.ts'
import { toRefusal, type Refusal } from './failure.ts'

const cancelBuild = defineSignal(cancelBuildSignal)

/**
 * Makes what was sold, step by step in bill of materials order. What cannot succeed is undone, newest first, and the
 * caller is told why; a build never fails, and never leaves something half made.
 */
export async function build(ticket: BuildTicket): Promise<BuildResult> {
  let isCancelled = false
  setHandler(cancelBuild, () => void (isCancelled = true), {
    description: 'Stop between two steps and undo.',
  })
  const begun: StepTicket[] = []
  for (const [index, step] of ticket.steps.entries()) {
    if (isCancelled)
      return await undo(ticket, begun, 'cancelled', {
        code: 'cancelled',
        detail: 'The subscription was cancelled while it was built.',
      })
    begun.push(step)
    show(ticket, index, 'running')
    try {
      const server = step.kind === 'restore' ? onServerForLong(step.serverId) : onServer(step.serverId)
      await server.carryOutStep.executeWithOptions(
        { summary: `${index + 1}/${ticket.steps.length} ${step.title}` },
        [{ stepId: step.stepId }],
      )
    } catch (error) {
      return await undo(ticket, begun, 'failed', toRefusal(error))
    }
  }
  await database.closeBuildOrder.executeWithOptions({ summary: 'everything runs' }, [
    { buildOrderId: ticket.buildOrderId, outcome: 'done' },
  ])
  show(ticket, ticket.steps.length, 'done')
  return { state: 'done' }
}

async function undo(
  ticket: BuildTicket,
  begun: readonly StepTicket[],
  state: 'failed' | 'cancelled',
  refusal: Refusal,
): Promise<BuildResult> {
  return await CancellationScope.nonCancellable(async () => {
    upsertSearchAttributes([{ key: searchAttributes.error, value: refusal.code }])
    let outcome: 'undone' | 'failed' = 'undone'
    for (const step of begun.toReversed()) {
      try {
        await onServer(step.serverId).undoStep.executeWithOptions({ summary: `undo: ${step.title}` }, [
          { stepId: step.stepId },
        ])
      } catch (error) {
        outcome = 'failed'
        toRefusal(error)
      }
    }
    await database.closeBuildOrder.executeWithOptions({ summary: `${outcome}: ${refusal.code}` }, [
      { buildOrderId: ticket.buildOrderId, outcome, failure: refusal },
    ])
    return { state, code: refusal.code, detail: refusal.detail }
  })
}

/** Shows where the build stands: a table in Temporal's UI, and the step as a search attribute. */
function show(ticket: BuildTicket, at: number, state: string): void {
  const step = ticket.steps[at]
  upsertSearchAttributes([
    { key: searchAttributes.step, value: step ? `${at + 1}/${ticket.steps.length} ${step.kind}` : 'done' },
  ])
  const rows = ticket.steps.map(
    (row, index) =>
      `| ${index + 1} | ${row.title} | ${index < at ? 'done' : index === at ? state : 'planned'} |`,
  )
  setCurrentDetails(['| | step | state |', '|---|---|---|', ...rows].join('\n'))
}
