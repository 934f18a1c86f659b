import type { EngineStep } from '#domain/build-plan.ts'
import type { Runner, RunnerContext, StepOutcome } from '#domain/runner.ts'
import { orderBuild, stepsAtOnce, stepsToBegin } from '#domain/step-order.ts'

export interface InlineStep {
  readonly step: EngineStep
  readonly outcome: StepOutcome
}

/**
 * Carries out a plan at once in this process: the steps, in the order and with the bound that a build has in the queue. Nothing
 * is tried again, and nothing is written down.
 * @returns the steps in the order in which they ended
 * @throws what the first step that fails is refused with, once all that was under way has ended
 */
export async function buildInline(
  steps: readonly { readonly sequence: number; readonly step: EngineStep }[],
  runner: Runner,
  ctx: RunnerContext,
): Promise<InlineStep[]> {
  const order = orderBuild(steps)
  const begun = new Set<number>()
  const ended = new Set<number>()
  const done: InlineStep[] = []
  const running = new Map<number, Promise<void>>()
  const failures: unknown[] = []
  const carryOut = async (position: number): Promise<void> => {
    const step = steps[position]?.step
    if (step === undefined) return
    try {
      done.push({ step, outcome: await runner.ensure(step, ctx) })
      ended.add(position)
    } catch (error) {
      failures.push(error)
    }
    running.delete(position)
  }
  for (;;) {
    for (const position of failures.length > 0 ? [] : stepsToBegin(order, { begun, ended }, stepsAtOnce)) {
      begun.add(position)
      running.set(position, carryOut(position))
    }
    if (running.size === 0) break
    await Promise.race(running.values())
  }
  if (failures.length > 0) throw failures[0]
  return done
}
