import type Docker from 'dockerode'
import { z } from 'zod'
import type { RunnerContext } from '#domain/runner.ts'
import { call, EngineError, pause } from '../engine.ts'

export const DISK_DEADLINE_MS = 120_000
const DISK_TRIES_MAX = 10

/** Bytes by volume name, as the engine counts them. */
export type DiskUsage = () => Promise<ReadonlyMap<string, number>>

/**
 * The engine measures all its volumes at once and refuses to do it twice at a time, so callers at the same moment share one
 * answer. The API's filter for volumes alone exists from 1.42 on only; older engines answer with everything.
 */
export function createDiskUsage(docker: Docker): (ctx: RunnerContext) => DiskUsage {
  let underWay: Promise<ReadonlyMap<string, number>> | undefined
  return (ctx) => async () => {
    underWay ??= measureDisk(docker, ctx).finally(() => (underWay = undefined))
    return await underWay
  }
}

async function measureDisk(docker: Docker, ctx: RunnerContext): Promise<ReadonlyMap<string, number>> {
  for (let tries = 1; ; tries++) {
    try {
      const answer: unknown = await call(ctx, 'measure volumes', () => docker.df(), DISK_DEADLINE_MS)
      return volumeSizes(answer)
    } catch (error) {
      const isBusy = error instanceof EngineError && /already running/.test(error.message)
      if (!isBusy || tries >= DISK_TRIES_MAX) throw error
      await pause(ctx, 200 * tries)
    }
  }
}

const diskAnswer = z.object({
  Volumes: z
    .array(z.object({ Name: z.string(), UsageData: z.object({ Size: z.number() }).nullish() }))
    .nullish(),
})

/** A size of -1 says that the engine could not measure the volume: no reading is better than a wrong one. */
function volumeSizes(answer: unknown): ReadonlyMap<string, number> {
  const volumes = diskAnswer.parse(answer).Volumes ?? []
  const sized = volumes.map(({ Name: name, UsageData: usage }) => [name, usage?.Size ?? -1] as const)
  return new Map(sized.filter(([, bytes]) => bytes >= 0))
}
