import { CancellationScope, condition, isCancellation } from '@temporalio/workflow'
import type { BuildTicket } from '#activities/build.ts'
import { dependentsOf, orderInTurn, stepsAtOnce, stepsToBegin, type StepOrder } from '#domain/step-order.ts'

/** Tickets of before say nothing of what their steps wait for, and are walked to their end as they were begun. */
export function isWalkedInTurn({ steps }: BuildTicket): boolean {
  return steps.every((step) => step.waitsFor === undefined)
}

export function orderOf(ticket: BuildTicket): StepOrder {
  if (isWalkedInTurn(ticket)) return orderInTurn(ticket.steps.length)
  return ticket.steps.map(({ waitsFor }) => waitsFor ?? [])
}

/** How a walk ended: all is done, or nothing began any more. */
export interface WalkEnd {
  readonly isDone: boolean
  /** Positions, in the order in which they were begun first. */
  readonly begun: readonly number[]
  /** What the first step that failed, failed with. */
  readonly failure: unknown
}

/** Steps on their way. Both calls only record; the walk does the rest. */
export interface Walk {
  readonly end: Promise<WalkEnd>
  /** Nothing begins any more, and what is under way is cancelled. */
  readonly stop: () => void
  /** Carries out a step once more, from its beginning, and what waits for it; what of it is under way is cancelled first. */
  readonly goBackTo: (position: number) => void
}

interface Walked {
  readonly order: StepOrder
  readonly carryOut: (position: number) => Promise<void>
  /** What runs when the walk stops is waited for, as it was when plans were walked one by one. */
  readonly isPatient: boolean
  readonly everBegun: Set<number>
  readonly begun: Set<number>
  readonly ended: Set<number>
  readonly running: Map<number, CancellationScope>
  readonly again: Set<number>
  readonly failures: unknown[]
  isStopAsked: boolean
  isHalted: boolean
  /** Counts what was asked, so that the walk looks again. */
  asked: number
}

/**
 * Carries out steps as their order allows. When one fails, or when it is asked to stop, nothing begins any more; what is
 * under way then is cancelled, and waited for.
 */
export function startWalk(
  order: StepOrder,
  carryOut: (position: number) => Promise<void>,
  isPatient = false,
): Walk {
  const walked: Walked = {
    order,
    carryOut,
    isPatient,
    everBegun: new Set(),
    begun: new Set(),
    ended: new Set(),
    running: new Map(),
    again: new Set(),
    failures: [],
    isStopAsked: false,
    isHalted: false,
    asked: 0,
  }
  return {
    end: goOn(walked),
    stop: () => {
      walked.isStopAsked = true
      walked.asked += 1
    },
    goBackTo: (position) => goBack(walked, position),
  }
}

async function goOn(walked: Walked): Promise<WalkEnd> {
  const { order, begun, ended, running, failures } = walked
  for (;;) {
    walked.isHalted = failures.length > 0 || walked.isStopAsked
    const next = walked.isHalted ? [] : stepsToBegin(order, { begun, ended }, stepsAtOnce)
    for (const position of next) void begin(walked, position)
    if (running.size === 0) break
    if (walked.isHalted && !walked.isPatient) for (const scope of running.values()) scope.cancel()
    const seen = { running: running.size, asked: walked.asked }
    await condition(() => running.size < seen.running || walked.asked > seen.asked)
  }
  return { isDone: ended.size === order.length, begun: [...walked.everBegun], failure: failures[0] }
}

async function begin(walked: Walked, position: number): Promise<void> {
  const scope = new CancellationScope()
  walked.running.set(position, scope)
  walked.everBegun.add(position)
  walked.begun.add(position)
  try {
    await scope.run(async () => await walked.carryOut(position))
    if (!walked.again.has(position)) walked.ended.add(position)
  } catch (error) {
    // A step that was told to end has not failed by itself.
    const isTold = walked.isHalted || walked.again.has(position)
    if (!isTold || !isCancellation(error)) walked.failures.push(error)
  }
  if (walked.again.delete(position)) walked.begun.delete(position)
  walked.running.delete(position)
}

function goBack(walked: Walked, position: number): void {
  walked.asked += 1
  for (const step of dependentsOf(walked.order, position)) {
    const scope = walked.running.get(step)
    if (scope) {
      walked.again.add(step)
      scope.cancel()
    } else if (walked.ended.delete(step)) walked.begun.delete(step)
  }
}
