import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { z } from 'zod'
import { createDatabaseActivities } from '#activities/index.ts'
import { createPeerRecall } from '#activities/peer-recall.ts'
import { watchSilence } from '#activities/server-watch.ts'
import { createViesCheck } from '#activities/tax-id-check.ts'
import { createTaxService } from '#activities/tax-service.ts'
import { logError } from '#bin/error-log.ts'
import { addressRanges, portList } from '#bin/address-ranges.ts'
import { runOnHost } from '#bin/host-command.ts'
import { ensureInstallation } from '#bin/installation.ts'
import { readInstallationKey } from '#bin/installation-key.ts'
import { findPackageArchive } from '#bin/platform/package-archive.ts'
import { ownProgram } from '#bin/platform/program.ts'
import { endSampler, ensureRecurringWorkflows, ensureSampler } from '#bin/recurring-workflows.ts'
import { followServers } from '#bin/server-fleet.ts'
import { serveEngines, serveServer } from '#bin/server-queue.ts'
import { bundleWorkflows } from '#bin/workflow-bundle.ts'
import { openDatabase } from '#db/database.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { createDockerRunner, type DockerRunnerOptions } from '#docker/runner.ts'
import { encodeId } from '#domain/identifier.ts'
import { taskQueues } from '#workflows/contract.ts'

const project = path.join(import.meta.dirname, '..')

const environmentSchema = z.object({
  CLOUDER_DATABASE_URL: z.string().min(1),
  CLOUDER_TEMPORAL_ADDRESS: z.string().min(1),
  CLOUDER_TEMPORAL_NAMESPACE: z.string().default('default'),
  CLOUDER_KEY_FILE: z.string().min(1),
  CLOUDER_RUNNER: z.enum(['docker', 'dry-run']),
  CLOUDER_BUSYBOX: z.string().default(''),
  CLOUDER_BACKUPS: z.string().default(''),
  // Written once it works: it has no port that could be asked.
  CLOUDER_READY_FILE: z.string().default(''),
  CLOUDER_HOST_RULES: z.enum(['keep', 'leave']).default('keep'),
  CLOUDER_DATA_SOURCE_RANGES: addressRanges,
  CLOUDER_PEER_RANGES: addressRanges,
  CLOUDER_PEER_PORTS: portList,
  CLOUDER_WEBHOOK_RANGES: addressRanges,
  CLOUDER_WEBHOOK_PORTS: portList,
  CLOUDER_TAX_ID_CHECK_URL: z.union([z.url({ protocol: /^https?$/ }), z.literal('')]).default(''),
  CLOUDER_TAX_SERVICE_URL: z.union([z.url({ protocol: /^https?$/ }), z.literal('')]).default(''),
  CLOUDER_PUBLIC_URL: z.url({ protocol: /^https?$/ }).default('http://localhost:4400'),
})

type Environment = z.infer<typeof environmentSchema>

/** All that is wrong is said at once, before anything starts. */
function readEnvironment(): Environment {
  const read = environmentSchema.safeParse(process.env)
  if (read.success) return read.data
  console.error(`The worker cannot start:\n${z.prettifyError(read.error)}`)
  process.exit(2)
}

async function runnerOptions(env: Environment): Promise<DockerRunnerOptions> {
  return {
    applicationsFolder: path.join(project, 'applications'),
    busyboxPath: env.CLOUDER_BUSYBOX,
    ...(env.CLOUDER_HOST_RULES === 'keep' ? { runOnHost } : {}),
    packageArchive: await findPackageArchive(),
    runInNetwork: runOnHost,
    program: ownProgram,
    backupsFolder: path.resolve(
      env.CLOUDER_BACKUPS || path.join(path.dirname(env.CLOUDER_KEY_FILE), 'backups'),
    ),
  }
}

const env = readEnvironment()
Runtime.install({ shutdownSignals: ['SIGINT', 'SIGTERM'] })
const namespace = env.CLOUDER_TEMPORAL_NAMESPACE
const db = openDatabase(env.CLOUDER_DATABASE_URL, { applicationName: 'clouder worker', maxConnections: 15 })
const installation = await ensureInstallation(db, env.CLOUDER_RUNNER)
const [connection, clientConnection, workflowBundle] = await Promise.all([
  NativeConnection.connect({ address: env.CLOUDER_TEMPORAL_ADDRESS }),
  Connection.connect({ address: env.CLOUDER_TEMPORAL_ADDRESS }),
  bundleWorkflows(),
])
const client = new Client({ connection: clientConnection, namespace })
const serverId = encodeId('server', installation.serverId)
const installationQueue = taskQueues.installation(encodeId('installation', installation.installationId))

const options = await runnerOptions(env)
const installationKey = readInstallationKey(env.CLOUDER_KEY_FILE)

const consoleUrl = env.CLOUDER_PUBLIC_URL.replace(/\/$/, '')
const peerDependencies = {
  db,
  installationKey,
  consoleUrl,
  peerRanges: env.CLOUDER_PEER_RANGES,
  peerPorts: env.CLOUDER_PEER_PORTS,
}
// An installation that was restored from an older backup stops giving numbers before it has given one again.
await createPeerRecall(peerDependencies).recallAll((error) => logError('recall of peers', error))

const installationWorker = await Worker.create({
  connection,
  namespace,
  taskQueue: installationQueue,
  workflowBundle,
  activities: createDatabaseActivities({
    ...peerDependencies,
    client,
    webhookRanges: env.CLOUDER_WEBHOOK_RANGES,
    webhookPorts: env.CLOUDER_WEBHOOK_PORTS,
    ...(env.CLOUDER_TAX_ID_CHECK_URL === ''
      ? {}
      : { taxIdCheck: createViesCheck(env.CLOUDER_TAX_ID_CHECK_URL) }),
    ...(env.CLOUDER_TAX_SERVICE_URL === ''
      ? {}
      : { taxService: createTaxService(env.CLOUDER_TAX_SERVICE_URL) }),
  }),
  maxCachedWorkflows: 500,
  shutdownGraceTime: '10 s',
})
const queue = { connection, namespace, onError: logError }
const localServer = await serveServer(
  {
    db,
    runner: env.CLOUDER_RUNNER === 'dry-run' ? createDryRunRunner() : createDockerRunner(options),
    installationKey,
    dataSourceRanges: env.CLOUDER_DATA_SOURCE_RANGES,
  },
  { ...queue, serverId },
)

await ensureRecurringWorkflows(client, { ...installation, installationQueue })
console.log(
  JSON.stringify({
    message: 'worker ready',
    queues: [installationQueue, taskQueues.server(serverId)],
    runner: env.CLOUDER_RUNNER,
  }),
)
if (env.CLOUDER_READY_FILE !== '') writeFileSync(env.CLOUDER_READY_FILE, '')
const fleet = followServers({
  db,
  serve: serveEngines({
    db,
    installationKey,
    dataSourceRanges: env.CLOUDER_DATA_SOURCE_RANGES,
    runner: options,
    queue,
  }),
  onRemoved: async (id) => await endSampler(client, id),
  onServer: async (id) => await ensureSampler(client, { ...installation, installationQueue, serverId: id }),
  onError: logError,
})
const silence = watchSilence(db, { onError: (error) => logError('silence watch', error) })
await Promise.all([installationWorker.run(), localServer.ended])
await Promise.all([fleet.stop(), silence.stop()])
await Promise.all([connection.close(), clientConnection.close(), db.destroy()])
