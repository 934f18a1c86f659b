import type { ContainerStep, UndoableStep } from './build-plan.ts'
import {
  isUndoable,
  keyOf,
  repairCommand,
  restoreCommand,
  type Comparison,
  type Finding,
  type WantedInstance,
} from './finding.ts'
import { ownership } from './ownership.ts'
import { compareContainer } from './reconciliation-container.ts'
import { compareRecords } from './reconciliation-records.ts'
import type { ObservedObject } from './runner.ts'

/**
 * Compares what is wanted, what is recorded and what was observed on one server, both ways. Containers, volumes and networks are
 * known by exact kind and name, and are ours by their labels only.
 */
export function compareServer(comparison: Comparison): Finding[] {
  const objects = new Map(comparison.observed.map((object) => [keyOf(object), object]))
  const drift = comparison.wanted
    .filter(({ wants }) => wants !== 'nothing')
    .flatMap((instance) => compareInstance(instance, objects))
  return [...drift, ...compareRecords(comparison, objects)]
}

function compareInstance(instance: WantedInstance, objects: ReadonlyMap<string, ObservedObject>): Finding[] {
  const unusable = unusableNames(instance, objects)
  return instance.steps.filter(isUndoable).flatMap((step): Finding[] => {
    const found = objects.get(keyOf(step))
    const of = { instance: instance.instance, objectKind: step.kind, objectName: step.name }
    if (found === undefined) return [missing(instance, step, isBuildable(step, unusable))]
    if (ownership(found.labels, step.labels) === 'foreign') return [foreign(of)]
    if (step.kind !== 'container' || found.container === null) return []
    return compareContainer({
      instance,
      step,
      labels: found.labels,
      found: found.container,
      isBuildable: isBuildable(step, unusable),
    })
  })
}

/** Volumes that are gone and networks that are not ours: what needs one cannot be brought back without a person. */
function unusableNames(
  { steps }: WantedInstance,
  objects: ReadonlyMap<string, ObservedObject>,
): ReadonlySet<string> {
  const unusable = steps.filter(isUndoable).filter((step) => {
    const found = objects.get(keyOf(step))
    if (found === undefined) return step.kind === 'volume'
    return step.kind !== 'container' && ownership(found.labels, step.labels) === 'foreign'
  })
  return new Set(unusable.map(keyOf))
}

function isBuildable(step: UndoableStep, unusable: ReadonlySet<string>): boolean {
  if (step.kind !== 'container') return true
  const needs = [
    ...step.mounts.map((mount) => keyOf({ kind: 'volume', name: mount.volume })),
    keyOf({ kind: 'network', name: step.network.name }),
  ]
  return !needs.some((need) => unusable.has(need))
}

function missing(instance: WantedInstance, step: UndoableStep, canBeBuilt: boolean): Finding {
  const of = { instance: instance.instance, objectKind: step.kind, objectName: step.name }
  const command = repairCommand(instance.instance)
  if (step.kind === 'volume') return missingVolume(instance, step)
  if (step.kind === 'network') {
    const detail = `Network ${step.name} is not on the server any more.`
    return { ...of, kind: 'missing_network', severity: 'critical', detail, isSafe: true, command }
  }
  return {
    ...of,
    kind: 'missing_container',
    severity: instance.wants === 'running' ? 'critical' : 'warning',
    detail: `Container ${step.name} is not on the server any more.`,
    isSafe: canBeBuilt && instance.wants === 'running' && !isJobStep(step),
    command,
  }
}

/** An empty volume is no repair. What was saved begins anew as an order of its own; where nothing was, only the end is left. */
function missingVolume({ instance, backup }: WantedInstance, step: UndoableStep): Finding {
  const gone = `Volume ${step.name} is not on the server any more, and its data with it. It is not made again empty:`
  const subscription = step.labels['io.clouder.subscription'] ?? ''
  const cancel = `npx clouder cancel ${subscription}`
  return {
    instance,
    objectKind: step.kind,
    objectName: step.name,
    kind: 'missing_volume',
    severity: 'critical',
    detail:
      backup === null
        ? `${gone} restore a backup of it, or cancel.`
        : `${gone} restore the backup of ${backup.takenAt} as a subscription of its own, then cancel this one: ${cancel}`,
    isSafe: false,
    command: backup === null ? cancel : restoreCommand(backup),
  }
}

/** What it did once would be done again: whether that does harm, only a person knows. */
function isJobStep(step: ContainerStep): boolean {
  return step.special?.isJob === true
}

function foreign(of: Pick<Finding, 'instance' | 'objectKind' | 'objectName'>): Finding {
  const { objectKind, objectName } = of
  const command =
    objectKind === 'container'
      ? `docker container rename ${objectName} ${objectName}.foreign`
      : `docker ${objectKind} inspect ${objectName}`
  return {
    ...of,
    kind: 'foreign',
    severity: 'critical',
    detail: `The ${objectKind} ${objectName} belongs to others. It is left as it is: have its owner rename or remove it.`,
    isSafe: false,
    command,
  }
}
