import { Worker, type NativeConnection } from '@temporalio/worker'
import { createServerActivities, type ServerDependencies } from '#activities/index.ts'
import { watchEngine } from '#activities/engine-watch.ts'
import { watchServer, type Watch } from '#activities/server-watch.ts'
import type { Db } from '#db/database.ts'
import type { InstallationKey } from '#db/sealing.ts'
import { openEngineAccess, type ServedServer } from '#db/server.ts'
import { createDockerRunner, type DockerRunnerOptions } from '#docker/runner.ts'
import { encodeId } from '#domain/identifier.ts'
import { taskQueues } from '#workflows/contract.ts'

/** How much is done on one server at once. */
const slots = 8

export interface ServerQueue {
  /** Settles when its worker has ended; with an error when it could not go on. */
  readonly ended: Promise<void>
  readonly stop: () => Promise<void>
}

export interface ServerQueueOptions {
  readonly connection: NativeConnection
  readonly namespace: string
  /** `srv_…` */
  readonly serverId: string
  readonly onError: (part: string, error: unknown) => void
  /** How often the engine is asked whether it is there. */
  readonly intervalMs?: number
}

/** Serves one server: takes the work of its queue, compares as soon as its engine tells of a change, and notes that it is there. */
export async function serveServer(
  deps: ServerDependencies,
  { connection, namespace, serverId, onError, intervalMs }: ServerQueueOptions,
): Promise<ServerQueue> {
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueues.server(serverId),
    activities: createServerActivities(deps),
    maxConcurrentActivityTaskExecutions: slots,
    // A beat brings back that a step is to end: as often as it is sent, not at its deadline.
    maxHeartbeatThrottleInterval: '1 s',
    shutdownGraceTime: '10 s',
  })
  const watches = [
    watchServer(deps, serverId, {
      onError: (error) => onError('server watch', error),
      ...(intervalMs === undefined ? {} : { intervalMs }),
    }),
    watchEngine(deps, { serverId, onError: (error) => onError('engine watch', error) }),
  ]
  const ended = work(worker, watches)
  return {
    ended,
    async stop() {
      // A signal to the process may have begun it already.
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await ended
    },
  }
}

async function work(worker: Worker, watches: readonly Watch[]): Promise<void> {
  try {
    await worker.run()
  } finally {
    await Promise.all(watches.map(async (watch) => watch.stop()))
  }
}

export interface EngineServing {
  readonly db: Db
  readonly installationKey: InstallationKey
  /** Where data sources are asked besides the public internet; left out, nowhere. */
  readonly dataSourceRanges?: readonly string[]
  /** What a runner needs besides its engine. */
  readonly runner: DockerRunnerOptions
  readonly queue: Omit<ServerQueueOptions, 'serverId'>
}

/** Engines behind TLS have no worker of their own: whoever has this does their work, too. */
export function serveEngines({ db, installationKey, dataSourceRanges = [], runner, queue }: EngineServing) {
  return async ({ id }: Pick<ServedServer, 'id'>): Promise<ServerQueue> => {
    const { address, ...certificates } = await openEngineAccess(db, id, installationKey)
    return await serveServer(
      {
        db,
        installationKey,
        dataSourceRanges,
        runner: createDockerRunner({ ...runner, dockerHost: address, certificates }),
      },
      { ...queue, serverId: encodeId('server', id) },
    )
  }
}
