import type { Labels } from './build-plan.ts'

/**
 * What was on the server before the instance that has it. Labels cannot be given to what runs, so it is known by its exact id and
 * name, and stays as it is until its containers are made anew on request.
 */
export interface TakenOver {
  /** With which generation it came. */
  readonly generation: number
  /** By service. */
  readonly containers: Readonly<Record<string, { readonly name: string; readonly id: string }>>
  /** Names on the server, by volume of the compose file. */
  readonly volumes: Readonly<Record<string, string>>
}

const installationLabel = 'io.clouder.installation'

/** A step whose object may have been there before. */
interface TakingStep {
  readonly labels: Labels
  /** The engine's id of a container, the name of a volume; left out: it is made here. */
  readonly takenOverId?: string
  readonly takenOverGeneration?: number
}

/** Whether an object is the one that was taken over, and no other under its name. */
export function isTakenOver(step: TakingStep, externalId: string): boolean {
  return step.takenOverId !== undefined && step.takenOverId === externalId
}

/**
 * The labels that an object has here: its own, or what the rows say of it, because it can be given none. What another installation made
 * beside us is told by its labels, and stays its own.
 */
export function labelsHere(
  step: TakingStep | undefined,
  found: { readonly externalId: string; readonly labels: Labels | null | undefined },
): Labels {
  if (step === undefined || !isTakenOver(step, found.externalId)) return found.labels ?? {}
  const owner = found.labels?.[installationLabel]
  if (owner !== undefined && owner !== step.labels[installationLabel]) return found.labels ?? {}
  const { takenOverGeneration: generation } = step
  return {
    ...found.labels,
    ...step.labels,
    ...(generation === undefined ? {} : { 'io.clouder.generation': String(generation) }),
  }
}

/** Whether something on the server is what an instance took over. */
export function isOfTakeOver(
  { takenOver }: { readonly takenOver?: TakenOver },
  { kind, externalId, name }: { readonly kind: string; readonly externalId: string; readonly name: string },
): boolean {
  if (takenOver === undefined) return false
  return kind === 'container'
    ? Object.values(takenOver.containers).some(({ id }) => id === externalId)
    : kind === 'volume' && Object.values(takenOver.volumes).includes(name)
}
