import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { createDatabaseActivities, createServerActivities } from '#activities/index.ts'
import { runOnHost } from '#bin/host-command.ts'
import { toInstallationKey } from '#bin/installation-key.ts'
import { findPackageArchive } from '#bin/platform/package-archive.ts'
import { ownProgram } from '#bin/platform/program.ts'
import { bundleWorkflows } from '#bin/workflow-bundle.ts'
import { watchEngine } from '#activities/engine-watch.ts'
import { watchServer } from '#activities/server-watch.ts'
import type { Db } from '#db/database.ts'
import { createDockerRunner } from '#docker/runner.ts'
import type { Runner } from '#domain/runner.ts'
import { taskQueues } from '#workflows/contract.ts'

const project = path.join(import.meta.dirname, '../..')
export const applicationsFolder = path.join(project, 'applications')

/** What a worker needs to know of the installation it works for. */
export interface TestInstallationFacts {
  readonly databaseUrl: string
  readonly temporalAddress: string
  readonly temporalNamespace: string
  readonly installationId: string
  readonly serverId: string
}

export type AnyActivities = Record<string, (input: never) => Promise<unknown>>

export interface WorkerOptions {
  /** Stands between the activities and the real engine. */
  readonly wrapRunner?: (runner: Runner) => Runner
  /** Stands between Temporal and the activities. */
  readonly wrapActivities?: <Activities extends AnyActivities>(activities: Activities) => Activities
  /** Instances are compared as soon as the engine tells of them, as in `bin/worker.ts`. */
  readonly hasEngineWatch?: boolean
  /** How often it is looked whether the engine is there; left out, as seldom as in earnest. */
  readonly sightingIntervalMs?: number
  /** How long a sold limit may not be in force before a person is told; left out, as long as in earnest. */
  readonly limitPatienceMs?: number
  /** Where this installation is reached, where that matters. */
  readonly consoleUrl?: string
  /** Workflows run in a thread of their own, as in earnest, whose start costs as much as all else of a worker; or in the one of the rest. */
  readonly hasWorkflowThread?: boolean
}

/** Of this process; another worker of a test that is to find its copies is told of it. */
export const backupsFolder =
  process.env['CLOUDER_TEST_BACKUPS'] ?? path.join(tmpdir(), `clouder-test-backups-${process.pid}`)

/** The same in every worker of the tests, so that the next one opens what the last one sealed. */
export const installationKeyText = Buffer.alloc(32, 7).toString('base64')
export const installationKey = toInstallationKey(installationKeyText)

let isQuiet = false

/** Temporal's runtime tells of errors only; it is installed once in a process, before anything uses it. */
export function quietTemporal(): void {
  if (!isQuiet) Runtime.install({ logger: new DefaultLogger('ERROR') })
  isQuiet = true
}

/** The two workers of `bin/worker.ts`, in this process. */
export async function startWorkers(db: Db, facts: TestInstallationFacts, options: WorkerOptions = {}) {
  quietTemporal()
  const wrapActivities = options.wrapActivities ?? ((activities) => activities)
  const wrapRunner = options.wrapRunner ?? ((runner) => runner)
  const { temporalNamespace: namespace } = facts
  const connection = await NativeConnection.connect({ address: facts.temporalAddress })
  const clientConnection = await Connection.connect({ address: facts.temporalAddress })
  const runner = wrapRunner(
    createDockerRunner({
      applicationsFolder,
      busyboxPath: process.env['CLOUDER_BUSYBOX'] ?? '',
      packageArchive: await findPackageArchive(),
      backupsFolder,
      runInNetwork: runOnHost,
      program: ownProgram,
    }),
  )
  const patience = options.limitPatienceMs === undefined ? {} : { limitPatienceMs: options.limitPatienceMs }
  const server = { db, runner, installationKey, ...patience }
  const workers = await Promise.all([
    Worker.create({
      connection,
      namespace,
      taskQueue: taskQueues.installation(facts.installationId),
      workflowBundle: await bundleWorkflows(),
      debugMode: options.hasWorkflowThread === false,
      activities: wrapActivities(
        createDatabaseActivities({
          db,
          client: new Client({ connection: clientConnection, namespace }),
          consoleUrl: options.consoleUrl ?? 'http://127.0.0.1:4400',
          installationKey,
          ...patience,
        }),
      ),
    }),
    Worker.create({
      connection,
      namespace,
      taskQueue: taskQueues.server(facts.serverId),
      activities: wrapActivities(createServerActivities(server)),
      maxHeartbeatThrottleInterval: '1 s',
    }),
  ])
  const watch = options.hasEngineWatch
    ? watchEngine(server, { serverId: facts.serverId, onError: (error) => console.error(error) })
    : undefined
  // As in `bin/server-queue.ts`: what is built on is known to be there.
  const sighting = watchServer(server, facts.serverId, {
    onError: (error) => console.error(error),
    ...(options.sightingIntervalMs === undefined ? {} : { intervalMs: options.sightingIntervalMs }),
  })
  const running = Promise.all(workers.map(async (worker) => await worker.run()))
  return {
    async stop() {
      await watch?.stop()
      await sighting.stop()
      for (const worker of workers) worker.shutdown()
      await running
      await connection.close()
      await clientConnection.close()
    },
  }
}
