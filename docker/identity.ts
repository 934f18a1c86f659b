import { BusinessError } from '#domain/errors.ts'
import type { Labels } from '#domain/build-plan.ts'

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
