import { defineSignal, setHandler } from '@temporalio/workflow'
import type { BuildTicket } from '#activities/build.ts'
import { database } from './activities.ts'
import { buildCommandedSignal } from './contract.ts'
import type { Walk } from './walk.ts'

const buildCommanded = defineSignal(buildCommandedSignal)

/**
 * Takes what operators ask of a build or an unbuild while it is walked. The signal only says that there is something: what it is
 * stands in rows, and each is taken once, in order. A step of which something was decided is carried out again, and finds
 * the decision before it does anything.
 */
export function takeBuildCommands({ buildOrderId, steps }: BuildTicket, walk: Walk): void {
  const taken = new Set<string>()
  const take = async (): Promise<void> => {
    const commands = await database.readBuildCommands.executeWithOptions({ summary: 'what was asked' }, [
      { buildOrderId },
    ])
    for (const { id, kind, stepId } of commands) {
      if (taken.has(id)) continue
      taken.add(id)
      const position = steps.findIndex((step) => step.stepId === stepId)
      if (kind === 'cancel') walk.stop()
      else if (position >= 0) walk.goBackTo(position)
    }
  }
  setHandler(buildCommanded, take, { description: 'An operator asked something of this order: read what.' })
}
