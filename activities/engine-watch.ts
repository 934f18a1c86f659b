import { setTimeout as sleep } from 'node:timers/promises'
import { getInstallation } from '#db/read/installation.ts'
import { readStandings } from '#db/reconciliation.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { reconcileServer } from './server-reconcile.ts'

/** A stop and what follows from it come together: one look for all of it. */
const GATHER_MS = 1_000
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 30_000

export interface EngineWatch {
  readonly stop: () => Promise<void>
}

/**
 * Compares an instance as soon as the engine tells of one of its containers, and all of them once an engine that was away is back. It is for speed only: whatever is missed here, with the
 * engine or the database away, is found by the comparison of all instances within the minute.
 * @param serverId `srv_…`
 */
export function watchEngine(
  deps: ServerDependencies,
  { serverId, onError }: { serverId: string; onError: (error: unknown) => void },
): EngineWatch {
  const ending = new AbortController()
  const ctx: RunnerContext = { abortSignal: ending.signal, onProgress: () => {}, secrets: {} }
  const changed = new Set<string>()
  let looking: Promise<void> | undefined
  const onChange = (instance: string): void => {
    changed.add(instance)
    looking ??= lookAtChanged(deps, { serverId, changed }, ctx)
      .catch((error: unknown) => ending.signal.aborted || onError(error))
      .then(() => void (looking = undefined))
  }
  const listening = listen(deps, onChange, { serverId, ctx, onError })
  return {
    async stop() {
      ending.abort()
      await listening
      await looking
    },
  }
}

async function listen(
  deps: ServerDependencies,
  onChange: (instance: string) => void,
  { serverId, ctx, onError }: { serverId: string; ctx: RunnerContext; onError: (error: unknown) => void },
): Promise<void> {
  const { db, runner } = deps
  let retryMs = RETRY_FIRST_MS
  let wasAway = false
  while (!ctx.abortSignal.aborted) {
    try {
      const installation = await getInstallation(db)
      // An engine that was killed starts some of its containers again when it comes back, and leaves others stopped.
      if (wasAway) {
        await reconcileServer(deps, { serverId: decodeId('server', serverId), instanceIds: null }, ctx)
        retryMs = RETRY_FIRST_MS
      }
      wasAway = false
      await runner.watch(encodeId('installation', installation.id), onChange, ctx)
    } catch (error) {
      if (ctx.abortSignal.aborted) return
      onError(error)
      wasAway = true
      await sleep(retryMs, undefined, { signal: ctx.abortSignal }).catch(() => {})
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)
    }
  }
}

/** What is built or removed just now tells a lot, and is looked at when it is done. */
async function lookAtChanged(
  deps: ServerDependencies,
  { serverId, changed }: { serverId: string; changed: Set<string> },
  ctx: RunnerContext,
): Promise<void> {
  const id = decodeId('server', serverId)
  while (changed.size > 0) {
    await sleep(GATHER_MS, undefined, { signal: ctx.abortSignal })
    const instances = [...changed].map((instance) => decodeId('instance', instance))
    changed.clear()
    const standings = await readStandings(deps.db, id, instances)
    const settled = instances.filter(
      (instance) => (standings.get(instance)?.wants ?? 'nothing') !== 'nothing',
    )
    if (settled.length > 0) await reconcileServer(deps, { serverId: id, instanceIds: settled }, ctx)
  }
}
