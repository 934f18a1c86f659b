import type { ApiLog } from './dependencies.ts'

/** Work that follows a commit and that no answer waits for. */
export interface Afterwards {
  /** Begins it. Its failure is logged and hurts nobody: whatever is begun here, the relay repeats. */
  begin(work: () => Promise<void>): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function createAfterwards(log: ApiLog): Afterwards {
  const underWay = new Set<Promise<void>>()
  return {
    begin(work) {
      const running: Promise<void> = work()
        .catch((error: unknown) => log.warn({ err: error }, 'work after a commit failed'))
        .finally(() => underWay.delete(running))
      underWay.add(running)
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
