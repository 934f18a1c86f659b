import { BusinessError } from '#domain/errors.ts'
import type { Labels } from '#domain/build-plan.ts'

const GENERATION = 'io.clouder.generation'

/** What an object found under a name of ours is: made by this step, by an earlier or later generation of it, or by others. */
export type Ownership = 'same' | 'older' | 'newer' | 'foreign'

export function ownership(found: Labels | null | undefined, wanted: Labels): Ownership {
  const labels = found ?? {}
  const isOurs = Object.entries(wanted).every(([key, value]) => key === GENERATION || labels[key] === value)
  if (!isOurs) return 'foreign'
  const difference = Number(labels[GENERATION] ?? 0) - Number(wanted[GENERATION] ?? 0)
  if (difference === 0) return 'same'
  return difference < 0 ? 'older' : 'newer'
}

export function nameTaken(kind: string, name: string): BusinessError {
  return new BusinessError(
    'name_taken_on_server',
    `the server has a ${kind} called ${name} that does not belong to this instance. It was left as it is: ` +
      `have it renamed or removed by its owner, then retry`,
  )
}

/** The engine's filter for objects that carry every one of these labels. */
export function labelFilter(labels: Labels): { label: string[] } {
  return { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) }
}
