import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow'
import type { BuildTicket } from '#activities/build.ts'
import { reverseOrder } from '#domain/step-order.ts'
import { database, onServer, onServerAtOnce, onServerForStep } from './activities.ts'
import { cancelBuildSignal, searchAttributes, type BuildResult } from './contract.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { takeBuildCommands } from './build-commands.ts'
import { isWalkedInTurn, orderOf, startWalk } from './walk.ts'

const cancelBuild = defineSignal(cancelBuildSignal)

/**
 * Makes what was sold, in bill of materials order, side by side where the plan allows. What cannot succeed is undone, in
 * reverse, and the caller is told why; a build never fails, and never leaves something half made.
 */
export async function build(ticket: BuildTicket): Promise<BuildResult> {
  let isCancelled = false
  const standing = ticket.steps.map(() => 'planned')
  const carryOut = async (position: number): Promise<void> => {
    const step = ticket.steps[position]
    if (step === undefined) return
    standing[position] = 'running'
    show(ticket, standing, position)
    await onServerForStep(step.serverId, step.kind).carryOutStep.executeWithOptions(
      { summary: `${position + 1}/${ticket.steps.length} ${step.title}` },
      [{ stepId: step.stepId }],
    )
    standing[position] = 'done'
  }
  const walk = startWalk(orderOf(ticket), carryOut, isWalkedInTurn(ticket))
  setHandler(
    cancelBuild,
    () => {
      isCancelled = true
      walk.stop()
    },
    { description: 'Stop between two steps and undo.' },
  )
  takeBuildCommands(ticket, walk)
  const end = await walk.end
  if (end.failure !== undefined) return await undo(ticket, end.begun, 'failed', toRefusal(end.failure))
  if (!end.isDone) return await undo(ticket, end.begun, ...whyStopped(isCancelled))
  await database.closeBuildOrder.executeWithOptions({ summary: 'everything runs' }, [
    { buildOrderId: ticket.buildOrderId, outcome: 'done' },
  ])
  await settleLinks(ticket)
  show(ticket, standing, ticket.steps.length)
  await condition(allHandlersFinished)
  return { state: 'done' }
}

/** A build that an operator cancels has failed: its subscription waits for a person. */
function whyStopped(isSubscriptionCancelled: boolean): ['failed' | 'cancelled', Refusal] {
  if (isSubscriptionCancelled)
    return ['cancelled', { code: 'cancelled', detail: 'The subscription was cancelled while it was built.' }]
  return ['failed', { code: 'build_cancelled', detail: 'An operator cancelled the build.' }]
}

/** What waited for an offer that runs now, or wants one itself. What is not made here is made by the next reconciliation. */
async function settleLinks({ linksOn = [] }: BuildTicket): Promise<void> {
  for (const serverId of linksOn) {
    try {
      await onServerAtOnce(serverId).settleLinks.executeWithOptions(
        { summary: 'links that can be made now' },
        [{ serverId }],
      )
    } catch (error) {
      toRefusal(error)
    }
  }
}

/** Undoes what was begun, each step once those that needed it are undone. One that cannot be undone keeps no other. */
async function undo(
  ticket: BuildTicket,
  begun: readonly number[],
  state: 'failed' | 'cancelled',
  refusal: Refusal,
): Promise<BuildResult> {
  return await CancellationScope.nonCancellable(async () => {
    upsertSearchAttributes([{ key: searchAttributes.error, value: refusal.code }])
    let outcome: 'undone' | 'failed' = 'undone'
    const undoStep = async (position: number): Promise<void> => {
      const step = ticket.steps[position]
      if (step === undefined || !begun.includes(position)) return
      try {
        await onServer(step.serverId).undoStep.executeWithOptions({ summary: `undo: ${step.title}` }, [
          { stepId: step.stepId },
        ])
      } catch (error) {
        outcome = 'failed'
        toRefusal(error)
      }
    }
    await startWalk(reverseOrder(orderOf(ticket)), undoStep).end
    await database.closeBuildOrder.executeWithOptions({ summary: `${outcome}: ${refusal.code}` }, [
      { buildOrderId: ticket.buildOrderId, outcome, failure: refusal },
    ])
    await condition(allHandlersFinished)
    return { state, code: refusal.code, detail: refusal.detail }
  })
}

/** Shows where the build stands: a table in Temporal's UI, and the newest step as a search attribute. */
function show(ticket: BuildTicket, standing: readonly string[], at: number): void {
  const step = ticket.steps[at]
  upsertSearchAttributes([
    { key: searchAttributes.step, value: step ? `${at + 1}/${ticket.steps.length} ${step.kind}` : 'done' },
  ])
  const rows = ticket.steps.map((row, index) => `| ${index + 1} | ${row.title} | ${standing[index]} |`)
  setCurrentDetails(['| | step | state |', '|---|---|---|', ...rows].join('\n'))
}
