import type { StepPlan } from './backup-plan.ts'

/** How a build order stands, and each of its steps. */
export type BuildState = 'planned' | 'running' | 'done' | 'failed' | 'undone'

/** What an operator can ask of a build order, beside trying it again. */
export type BuildCommandKind = 'cancel' | 'resume' | 'skip' | 'mark_done'

export interface BuildStanding {
  readonly kind: 'build' | 'unbuild'
  readonly state: BuildState
  /** It failed, and its subscription waits for it to be tried again. */
  readonly canRetry: boolean
  /** Its steps are being undone: a step of it has failed or is undone, or it was cancelled. */
  readonly isUndoing: boolean
}

/** The step that a command is about. */
export interface CommandedStep {
  readonly kind: StepPlan['kind']
  readonly state: BuildState
}

/** What is sold still runs without these: one only looks, one only fills what begins empty otherwise, one only sends bills. */
const skippable: ReadonlySet<StepPlan['kind']> = new Set(['ready', 'restore', 'peer'])

/** What a person can see to without us: an image loaded, a volume filled, an application looked at. */
const doneByHand: ReadonlySet<StepPlan['kind']> = new Set(['ready', 'restore', 'image'])

/** What leaves something out is never done without a word. */
export function needsReason(command: BuildCommandKind): boolean {
  return command === 'skip' || command === 'mark_done'
}

/**
 * Why a command cannot be carried out as things stand; undefined where it can.
 * @param step null for a command that is about the whole build order
 */
export function refuseBuildCommand(
  command: BuildCommandKind,
  build: BuildStanding,
  step: CommandedStep | null,
): string | undefined {
  if (build.isUndoing && !build.canRetry) return `This ${build.kind} is being undone.`
  switch (command) {
    case 'cancel':
      return refuseCancel(build)
    case 'resume':
      return refuseResume(build, step)
    case 'skip':
      return refuseDecision(build, step, skippable, 'be skipped: what was sold would not be whole without it')
    case 'mark_done':
      return refuseDecision(
        build,
        step,
        doneByHand,
        'be marked as done: it looks for itself, and takes what is there',
      )
  }
}

function isOpen({ state }: BuildStanding): boolean {
  return state === 'planned' || state === 'running'
}

function refuseCancel(build: BuildStanding): string | undefined {
  if (build.kind === 'unbuild') return 'An unbuild is not cancelled: what it has removed does not come back.'
  return isOpen(build) ? undefined : `This build is ${build.state}: nothing of it is under way.`
}

function refuseResume(build: BuildStanding, step: CommandedStep | null): string | undefined {
  if (build.canRetry) return `This ${build.kind} has ended: retry it, and it goes on from what is there.`
  if (!isOpen(build)) return `This ${build.kind} is ${build.state}.`
  return step?.state === 'planned' ? 'This step has not begun: there is nothing to go back to.' : undefined
}

/** Of a build that has failed, the decision holds for its retry. */
function refuseDecision(
  build: BuildStanding,
  step: CommandedStep | null,
  kinds: ReadonlySet<StepPlan['kind']>,
  why: string,
): string | undefined {
  if (step !== null && !kinds.has(step.kind)) return `A step of kind ${step.kind} cannot ${why}.`
  if (build.canRetry) return undefined
  if (!isOpen(build)) return `This ${build.kind} is ${build.state}.`
  return step?.state === 'done' ? 'This step is done.' : undefined
}
