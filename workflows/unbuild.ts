import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import type { BuildTicket, StepTicket } from '#activities/build.ts'
import { database, onServer, onServerForLong } from './activities.ts'
import { searchAttributes, type BuildResult } from './contract.ts'
import { toRefusal } from './failure.ts'

/** Saves what is held, then removes what was really made, newest first, and proves that nothing is left. */
export async function unbuild(ticket: BuildTicket): Promise<BuildResult> {
  try {
    for (const [index, step] of ticket.steps.entries()) {
      const position = `${index + 1}/${ticket.steps.length}`
      upsertSearchAttributes([{ key: searchAttributes.step, value: `${position} ${step.kind}` }])
      await walk(step, position)
      setCurrentDetails(`done ${position}`)
    }
    for (const serverId of new Set(ticket.steps.map((step) => step.serverId))) {
      await onServer(serverId).verifyAbsence.executeWithOptions({ summary: 'prove that nothing is left' }, [
        { subscriptionId: ticket.subscriptionId, serverId },
      ])
    }
  } catch (error) {
    const refusal = toRefusal(error)
    upsertSearchAttributes([{ key: searchAttributes.error, value: refusal.code }])
    await database.closeBuildOrder.executeWithOptions({ summary: `failed: ${refusal.code}` }, [
      { buildOrderId: ticket.buildOrderId, outcome: 'failed', failure: refusal },
    ])
    return { state: 'failed', ...refusal }
  }
  await database.closeBuildOrder.executeWithOptions({ summary: 'absence was seen' }, [
    { buildOrderId: ticket.buildOrderId, outcome: 'done' },
  ])
  return { state: 'done' }
}

/** What is to be saved comes first in the ticket: a backup that fails ends the walk before anything was removed. */
async function walk(step: StepTicket, position: string): Promise<void> {
  if (step.kind === 'backup') {
    await onServerForLong(step.serverId).takeBackup.executeWithOptions(
      { summary: `${position} ${step.title}` },
      [{ stepId: step.stepId }],
    )
    return
  }
  await onServer(step.serverId).removeStep.executeWithOptions(
    { summary: `${position} remove: ${step.title}` },
    [{ stepId: step.stepId }],
  )
}
