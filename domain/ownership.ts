import type { Labels } from './build-plan.ts'
import type { ContainerDifference } from './container-difference.ts'

const GENERATION = 'io.clouder.generation'

/** What an object found under a name of ours is: made by this step, by an earlier or later generation of it, or by others. */
export type Ownership = 'same' | 'older' | 'newer' | 'foreign'

/**
 * Whose an object is, by its labels: ours only if it carries every one that the plan gives it, but for the generation.
 * An object without labels is foreign.
 */
export function ownership(found: Labels | null | undefined, wanted: Labels): Ownership {
  const labels = found ?? {}
  const isOurs = Object.entries(wanted).every(([key, value]) => key === GENERATION || labels[key] === value)
  if (!isOurs) return 'foreign'
  const difference = Number(labels[GENERATION] ?? 0) - Number(wanted[GENERATION] ?? 0)
  if (difference === 0) return 'same'
  return difference < 0 ? 'older' : 'newer'
}

/** A container of an older plan says so by its generation: what changed in secret is told by nothing else. */
export function generationDifference(found: Labels, wanted: Labels): ContainerDifference[] {
  const { [GENERATION]: running = null } = found
  const { [GENERATION]: asked = null } = wanted
  return running === asked ? [] : [{ key: 'generation', wanted: asked, running }]
}
