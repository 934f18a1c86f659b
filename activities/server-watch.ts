import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '#db/database.ts'
import { noteFailure, noteSeen, noteSilentServers } from '#db/server-sighting.ts'
import { decodeId } from '#domain/identifier.ts'
import { EngineFailure, type Runner, type RunnerContext } from '#domain/runner.ts'
import type { UnreachableCause } from '#domain/server.ts'
import { messageOf } from '#domain/errors.ts'

/** Shorter than the shortest silence that an installation can allow, by default by far. */
const sightingIntervalMs = 10_000
const answerDeadlineMs = 5_000

export interface Watch {
  readonly stop: () => Promise<void>
}

interface WatchOptions {
  readonly intervalMs?: number
  readonly onError: (error: unknown) => void
}

/**
 * Asks a server's engine every few seconds, beside its worker, and notes whether it answered. It takes no slot of the worker: a
 * server that is full of work is seen as well.
 * @param serverId `srv_…`
 */
export function watchServer(
  { db, runner }: { db: Db; runner: Runner },
  serverId: string,
  options: WatchOptions,
): Watch {
  const id = decodeId('server', serverId)
  return every(options, async (abortSignal) => await lookAtServer({ db, runner }, id, abortSignal))
}

/** Tells of servers that nobody sees any more; it needs no engine, and runs beside the installation's own queue. */
export function watchSilence(db: Db, options: WatchOptions): Watch {
  return every(options, async () => void (await noteSilentServers(db)))
}

/** Asks once, and notes the answer. */
async function lookAtServer(
  { db, runner }: { db: Db; runner: Runner },
  id: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const ctx: RunnerContext = {
    abortSignal: AbortSignal.any([abortSignal, AbortSignal.timeout(answerDeadlineMs)]),
    onProgress: () => {},
    secrets: {},
  }
  const facts = await runner.describe(ctx).catch((error: unknown) => toFailure(error))
  if (abortSignal.aborted) return
  await ('cause' in facts ? noteFailure(db, id, facts) : noteSeen(db, id, facts))
}

/** Why an engine did not answer. */
export function toFailure(error: unknown): { cause: UnreachableCause; detail: string } {
  const detail = messageOf(error)
  if (error instanceof EngineFailure && error.unreachable !== undefined)
    return { cause: error.unreachable, detail }
  const isLate = error instanceof Error && error.name === 'TimeoutError'
  return { cause: isLate ? 'timed_out' : 'failed', detail }
}

/** Looks again and again until it is stopped; a look that fails is told of, and holds up no later one. */
export function every(
  { intervalMs = sightingIntervalMs, onError }: WatchOptions,
  look: (abortSignal: AbortSignal) => Promise<void>,
): Watch {
  const ending = new AbortController()
  const looking = (async () => {
    while (!ending.signal.aborted) {
      await look(ending.signal).catch((error: unknown) => ending.signal.aborted || onError(error))
      await sleep(intervalMs, undefined, { signal: ending.signal }).catch(() => {})
    }
  })()
  return {
    async stop() {
      ending.abort()
      await looking
    },
  }
}
