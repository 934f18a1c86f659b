import {
  allHandlersFinished,
  condition,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow'
import type { BuildTicket, StepTicket } from '#activities/build.ts'
import { database, onServer, onServerForLong } from './activities.ts'
import { searchAttributes, type BuildResult } from './contract.ts'
import { toRefusal } from './failure.ts'
import { takeBuildCommands } from './build-commands.ts'
import { orderOf, startWalk } from './walk.ts'

/**
 * Saves what is held, then removes what was really made, in reverse, side by side where nothing needs the other, and proves
 * that nothing is left. A backup that fails ends the walk before anything was removed.
 */
export async function unbuild(ticket: BuildTicket): Promise<BuildResult> {
  try {
    for (const serverId of ticket.linksOn ?? []) {
      await onServer(serverId).takeBackLinks.executeWithOptions({ summary: 'take back its links' }, [
        { subscriptionId: ticket.subscriptionId, serverId },
      ])
    }
    let done = 0
    const walk = startWalk(orderOf(ticket), async (position) => {
      const step = ticket.steps[position]
      if (step === undefined) return
      const place = `${position + 1}/${ticket.steps.length}`
      upsertSearchAttributes([{ key: searchAttributes.step, value: `${place} ${step.kind}` }])
      await carryOut(step, place)
      done += 1
      setCurrentDetails(`done ${done}/${ticket.steps.length}`)
    })
    takeBuildCommands(ticket, walk)
    const end = await walk.end
    if (!end.isDone) throw end.failure
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
    await condition(allHandlersFinished)
    return { state: 'failed', ...refusal }
  }
  await database.closeBuildOrder.executeWithOptions({ summary: 'absence was seen' }, [
    { buildOrderId: ticket.buildOrderId, outcome: 'done' },
  ])
  await condition(allHandlersFinished)
  return { state: 'done' }
}

async function carryOut(step: StepTicket, place: string): Promise<void> {
  if (step.kind === 'backup') {
    await onServerForLong(step.serverId).takeBackup.executeWithOptions(
      { summary: `${place} ${step.title}` },
      [{ stepId: step.stepId }],
    )
    return
  }
  await onServer(step.serverId).removeStep.executeWithOptions({ summary: `${place} remove: ${step.title}` }, [
    { stepId: step.stepId },
  ])
}
