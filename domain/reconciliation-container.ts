import type { ContainerStep, Labels } from './build-plan.ts'
import { differenceText, type ContainerDifference } from './container-difference.ts'
import { ownership } from './ownership.ts'
import { isTakenOver } from './taken-over.ts'
import type { ContainerObservation } from './runner.ts'
import { repairCommand, type Finding, type WantedInstance } from './finding.ts'

interface ComparedContainer {
  readonly instance: WantedInstance
  readonly step: ContainerStep
  readonly labels: Labels
  readonly found: ContainerObservation
  /** What it needs is there. */
  readonly isBuildable: boolean
}

/** A container of ours: is it made as planned, and does it do what is wanted of it? */
export function compareContainer(compared: ComparedContainer): Finding[] {
  const differences = compareMaking(compared)
  // Starting one that is made otherwise would have it replaced, which is never done unasked.
  const isStartable = compared.isBuildable && differences.length === 0
  const state =
    compared.instance.wants === 'running' ? compareRunning(compared, isStartable) : compareStopped(compared)
  return state === null ? differences : [...differences, state]
}

function about({ instance, step }: ComparedContainer) {
  return {
    instance: instance.instance,
    objectKind: 'container' as const,
    objectName: step.name,
    command: repairCommand(instance.instance),
  }
}

function compareMaking(compared: ComparedContainer): Finding[] {
  const { step, labels, found } = compared
  const findings: Finding[] = []
  if (step.imageId !== undefined && found.imageDigest !== step.imageId) {
    findings.push({
      ...about(compared),
      kind: 'wrong_image',
      severity: 'warning',
      detail: `Container ${step.name} runs ${found.imageDigest}, built was ${step.imageId}.`,
      isSafe: false,
    })
  }
  const generation = ownership(labels, step.labels)
  const differences = [
    ...(generation === 'same' ? [] : [`it is of an ${generation} generation than what is wanted`]),
    ...found.differences.filter((one) => isMeant(step, found, one)).map(differenceText),
  ]
  if (differences.length > 0) {
    findings.push({
      ...about(compared),
      kind: 'wrong_configuration',
      severity: 'warning',
      detail: `Container ${step.name} is not as planned: ${differences.join('; ')}.`,
      isSafe: false,
    })
  }
  return findings
}

/** What was taken over is made otherwise, and is known to be: of it only limits count, once somebody gave it some. */
function isMeant(step: ContainerStep, found: ContainerObservation, { key }: ContainerDifference): boolean {
  if (!isTakenOver(step, found.externalId)) return true
  return step.hasGivenLimits === true && limitKeys.has(key)
}

const limitKeys: ReadonlySet<string> = new Set(['memory_mib', 'memory_and_swap_mib', 'cpus', 'pids'])

function compareRunning(compared: ComparedContainer, isStartable: boolean): Finding | null {
  const { step, found } = compared
  if (hasDoneItsJob(found)) return null
  if (found.state === 'running') {
    if (found.health !== 'unhealthy') return null
    const detail = `Container ${step.name} runs, and says that it is not healthy.`
    return { ...about(compared), kind: 'unhealthy', severity: 'warning', detail, isSafe: false }
  }
  const exit = found.exitCode === null ? '' : `, exit code ${found.exitCode}`
  const finding = {
    ...about(compared),
    kind: 'stopped',
    severity: 'critical',
    detail: `Container ${step.name} should run and is ${found.state}${exit}.`,
  } as const
  if (found.state === 'paused')
    return { ...finding, isSafe: false, command: `docker container unpause ${step.name}` }
  // One that restarts is in the engine's hands, and a job that failed would be done again.
  const isAtRest = found.state === 'exited' || found.state === 'created'
  return { ...finding, isSafe: isAtRest && isStartable && !found.isJob }
}

function compareStopped(compared: ComparedContainer): Finding | null {
  const { step, found } = compared
  if (!['running', 'restarting', 'paused'].includes(found.state)) return null
  const detail = `Container ${step.name} is ${found.state} and should be stopped: its subscription is suspended, or a limit is held by that.`
  return {
    ...about(compared),
    kind: 'started',
    severity: 'warning',
    detail,
    isSafe: found.state !== 'paused',
  }
}

export function hasDoneItsJob(found: ContainerObservation): boolean {
  return found.isJob && found.state === 'exited' && found.exitCode === 0
}
