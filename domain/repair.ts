import type { EngineStep, ContainerStep } from './build-plan.ts'
import { isUndoable, keyOf, type Finding, type WantedInstance } from './finding.ts'
import { imageName } from './image-pin.ts'
import { hasDoneItsJob } from './reconciliation-container.ts'
import type { ContainerObservation, ObservedObject } from './runner.ts'

/** What of an instance's containers was seen. `starting`: all run, and not all say that they are healthy yet. */
export type ObservedState = 'running' | 'starting' | 'degraded' | 'stopped' | 'absent'

/** What of one container was seen, as far as people are told of it. */
export type SeenContainer = Pick<
  ContainerObservation,
  'service' | 'name' | 'state' | 'health' | 'exitCode' | 'restartCount' | 'startedAt'
>

/** The containers among what was seen, by name: `acme_shop_web` before `acme_shop_worker`. */
export function seenContainers(observed: readonly ObservedObject[]): SeenContainer[] {
  return observed
    .flatMap(({ container }) => container ?? [])
    .map(({ service, name, state, health, exitCode, restartCount, startedAt }) => ({
      service,
      name,
      state,
      health,
      exitCode,
      restartCount,
      startedAt,
    }))
    .toSorted((first, second) => first.name.localeCompare(second.name))
}

/**
 * Sums up what was seen of an instance. Of one that is settled its planned containers count, one that is missing or runs another image among them; of
 * one that is being built or removed, all.
 * @param observed what carries the instance's label
 */
export function observedState(
  { steps }: Pick<WantedInstance, 'steps'>,
  observed: readonly ObservedObject[],
): ObservedState {
  const containers = observed.flatMap(({ container }) => container ?? [])
  const planned = steps.filter((step) => step.kind === 'container')
  const names = new Set(containers.map(({ name }) => name))
  if (containers.length === 0) return 'absent'
  const services = containers.filter((one) => !hasDoneItsJob(one))
  const images = new Map(planned.map((step) => [step.name, step.imageId]))
  const isOtherImage = ({ name, imageDigest }: ContainerObservation): boolean =>
    (images.get(name) ?? imageDigest) !== imageDigest
  if (planned.some((step) => !names.has(step.name)) || services.some(isOtherImage)) {
    return services.some(isUp) ? 'degraded' : 'stopped'
  }
  if (services.every(isUp)) {
    if (services.some((one) => one.health === 'unhealthy')) return 'degraded'
    return services.some((one) => one.health === 'starting') ? 'starting' : 'running'
  }
  return services.some(isUp) ? 'degraded' : 'stopped'
}

function isUp(found: ContainerObservation): boolean {
  return found.state === 'running'
}

/**
 * The steps of the plan that end the given findings of one instance, in the plan's order: networks that are gone, and containers
 * that are gone or at rest, each after its image. Volumes are never among them: an empty one is no repair.
 */
export function planRepair(
  steps: readonly EngineStep[],
  findings: readonly Pick<Finding, 'kind' | 'objectKind' | 'objectName'>[],
): EngineStep[] {
  const broken = new Set(
    findings
      .filter(({ kind }) => ['missing_network', 'missing_container', 'stopped'].includes(kind))
      .map(({ objectKind, objectName }) => keyOf({ kind: objectKind, name: objectName })),
  )
  const needed = steps.filter((step) => isUndoable(step) && step.kind !== 'volume' && broken.has(keyOf(step)))
  const images = new Set(needed.filter((step) => step.kind === 'container').map(({ image }) => image))
  return steps.filter(
    (step) => needed.includes(step) || (step.kind === 'image' && images.has(imageName(step))),
  )
}

/** The containers that only a replacement makes as planned. That is done on request only, for what they hold outside volumes is lost. */
export function planReplacement(steps: readonly EngineStep[], findings: readonly Finding[]): ContainerStep[] {
  const names = new Set(
    findings
      .filter(({ kind }) => kind === 'wrong_image' || kind === 'wrong_configuration')
      .map(({ objectName }) => objectName),
  )
  return steps.filter((step) => step.kind === 'container').filter(({ name }) => names.has(name))
}
