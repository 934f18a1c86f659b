/**
 * One thing in which a container is otherwise than planned: `memory_mib`, wanted `2048`, running `1024`. Null stands for nothing.
 * A value that holds a secret is never in it: it is not compared, for neither value may be shown.
 */
export interface ContainerDifference {
  readonly key: string
  readonly wanted: string | null
  readonly running: string | null
}

/** `memory_mib: asked 2048, got 1024`. */
export function differenceText({ key, wanted, running }: ContainerDifference): string {
  return `${key}: asked ${wanted ?? 'nothing'}, got ${running ?? 'nothing'}`
}
