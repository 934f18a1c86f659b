import { CancellationScope, condition, isCancellation } from '@temporalio/workflow'
import type { BuildTicket } from '#activities/build.ts'
import { orderInTurn, stepsToBegin, type StepOrder } from '#domain/step-order.ts'

/** Of one build; a server carries out more, of several builds. */
const stepsAtOnce = 4

/** Tickets of before say nothing of what their steps wait for, and are walked to their end as they were begun. */
export function isWalkedInTurn({ steps }: BuildTicket): boolean {
  return steps.every((step) => step.waitsFor === undefined)
}

export function orderOf(ticket: BuildTicket): StepOrder {
  if (isWalkedInTurn(ticket)) return orderInTurn(ticket.steps.length)
  return ticket.steps.map(({ waitsFor }) => waitsFor ?? [])
}

export interface WalkOptions {
  /** Asked before anything begins, and while something runs. */
  readonly isStopAsked?: () => boolean
  /** What runs when the walk stops is waited for, as it was when plans were walked one by one. */
  readonly isPatient?: boolean
}

/** How a walk ended: all is done, or nothing began any more. */
export interface WalkEnd {
  readonly isDone: boolean
  /** Positions, in the order in which they were begun. */
  readonly begun: readonly number[]
  /** What the first step that failed, failed with. */
  readonly failure: unknown
}

/**
 * Carries out steps as their order allows. When one fails, or when it is asked to stop, nothing begins any more; what is
 * under way then is cancelled, and waited for.
 */
export async function walk(
  order: StepOrder,
  carryOut: (position: number) => Promise<void>,
  { isStopAsked = () => false, isPatient = false }: WalkOptions = {},
): Promise<WalkEnd> {
  const begun = new Set<number>()
  const ended = new Set<number>()
  const running = new Map<number, CancellationScope>()
  const failures: unknown[] = []
  let isHalted = false
  const begin = async (position: number): Promise<void> => {
    const scope = new CancellationScope()
    running.set(position, scope)
    begun.add(position)
    try {
      await scope.run(async () => await carryOut(position))
      ended.add(position)
    } catch (error) {
      // A step that was told to end has not failed by itself.
      if (!isHalted || !isCancellation(error)) failures.push(error)
    }
    running.delete(position)
  }
  for (;;) {
    isHalted = failures.length > 0 || isStopAsked()
    const next = isHalted ? [] : stepsToBegin(order, { begun, ended }, stepsAtOnce)
    for (const position of next) void begin(position)
    if (running.size === 0) break
    if (isHalted && !isPatient) for (const scope of running.values()) scope.cancel()
    const runningCount = running.size
    await condition(() => running.size < runningCount || (!isHalted && isStopAsked()))
  }
  return { isDone: ended.size === order.length, begun: [...begun], failure: failures[0] }
}
