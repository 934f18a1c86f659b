import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import Docker from 'dockerode'
import { createGuardedFrame } from '#api/app.ts'
import { relayOnce } from '#api/relay.ts'
import { seedCatalog } from '#bin/demo-catalog.ts'
import { ensureInstallation } from '#bin/installation.ts'
import { registerSearchAttributes } from '#bin/search-attributes.ts'
import { saveApplication } from '#db/application.ts'
import type { Db } from '#db/database.ts'
import { listenForEvents } from '#db/event-listener.ts'
import { newId } from '#db/identifier.ts'
import { pendingMigrations } from '#db/migrate.ts'
import { readApplication } from '#docker/applications.ts'
import { createFolderStorage } from '#docker/backup/folder.ts'
import { openBoundedReader } from '#docker/compose/bounded-reader.ts'
import { encodeId } from '#domain/identifier.ts'
import type { reconcile } from '#workflows/reconcile.ts'
import { createKey } from './api.ts'
import { openDoor } from './door.ts'
import { giveBackPortBlocks, takePortBlock } from './port-block.ts'
import { createTestDatabase } from './database.ts'
import {
  applicationsFolder,
  backupsFolder,
  installationKey,
  startWorkers,
  type TestInstallationFacts,
  type WorkerOptions,
} from './workers.ts'

export type Json = Record<string, unknown>

export interface InstallationOptions extends WorkerOptions {
  /** Without workers, tests start their own, to kill them. */
  readonly hasWorkers?: boolean
  /** Listens on the loopback, where other installations reach it. */
  readonly isServed?: boolean
  /** A namespace of its own on the one Temporal of the tests; left out, it shares theirs. */
  readonly temporalNamespace?: string
  /** What time it is for its API; left out, what it is. */
  readonly now?: () => string
}

const unservedUrl = 'http://127.0.0.1:4400'

/** A whole Clouder for one test file: own database, own queues, real Temporal, real engine, the API in this process. */
export async function startInstallation(options: InstallationOptions = {}) {
  const temporalAddress = requireEnvironment('CLOUDER_TEST_TEMPORAL_ADDRESS')
  const { url, db, drop } = await createTestDatabase()
  const installation = await ensureInstallation(db, 'docker')
  await takePortBlock(db)
  await seedApplications(db)
  await seedCatalog(db, { odoo: 'odoo-stand-in' })
  // Nothing here has to spread a load over hours.
  await db.updateTable('installation').set({ settlement_window_seconds: 0 }).execute()
  const connection = await Connection.connect({ address: temporalAddress })
  const { temporalNamespace: namespace = 'default' } = options
  if (options.temporalNamespace !== undefined) await registerNamespace(connection, namespace)
  const client = new Client({ connection, namespace })
  const facts: TestInstallationFacts = {
    databaseUrl: url,
    temporalAddress,
    temporalNamespace: namespace,
    installationId: encodeId('installation', installation.installationId),
    serverId: encodeId('server', installation.serverId),
  }
  const door = options.isServed === true ? await openDoor() : undefined
  const publicUrl = door?.url ?? unservedUrl
  const listener = listenForEvents(url)
  const frame = createGuardedFrame({
    db,
    client,
    publicUrl,
    temporalUiUrl: process.env['CLOUDER_TEST_TEMPORAL_UI_URL'] ?? 'http://127.0.0.1:8233',
    temporalNamespace: namespace,
    readApplication: openBoundedReader().read,
    openCopy: async (location) => await createFolderStorage(backupsFolder).read(location),
    pendingMigrations: async () => await pendingMigrations(url),
    onEvents: listener.onEvents,
    now: options.now ?? (() => new Date().toISOString()),
    installationKey,
    joining: { databaseUrl: { url, hasLogin: false }, temporalAddress },
    log: { info() {}, warn() {}, error: (fields, message) => console.error(message, fields) },
  })
  door?.lead(async (request) => await frame.app.fetch(request))
  const key = await createKey(db, ['*'])
  const workers =
    options.hasWorkers === false
      ? undefined
      : await startWorkers(db, facts, { ...options, consoleUrl: publicUrl })

  async function call(
    method: string,
    address: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: Json }> {
    const response = await frame.app.request(address, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': newId() }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Json }
  }

  return {
    ...facts,
    db,
    client,
    app: frame.app,
    publicUrl,
    door,
    key,
    call,
    /** A key that may do only this. */
    keyWith: async (scopes: string[]) => await createKey(db, scopes),
    relay: async () => await relayOnce({ db, client }),
    /** Compares and repairs now, as the schedule does in its time. */
    reconcile: async () =>
      await client.workflow.execute<typeof reconcile>('reconcile', {
        workflowId: `reconcile/${facts.installationId}/${newId()}`,
        taskQueue: `installation/${facts.installationId}`,
      }),
    /** Stops what this installation started and removes what it made, by exact id. */
    async stop() {
      await workers?.stop()
      await door?.close()
      await endWorkflows(client, db, facts)
      await removeObjects(facts.installationId)
      giveBackPortBlocks(db)
      await listener.stop()
      await connection.close()
      await drop()
    },
  }
}

/** The server keeps it as long as it lives, which is as long as the tests run. */
async function registerNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  })
  // Servers keep what they know of namespaces for some seconds.
  await until(`the namespace ${namespace} is there`, async () =>
    registerSearchAttributes(connection, namespace).then(
      () => true,
      () => false,
    ),
  )
}

export type TestInstallation = Awaited<ReturnType<typeof startInstallation>>

function requireEnvironment(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the tests with npm test`)
  return value
}

async function seedApplications(db: Db): Promise<void> {
  for (const code of ['odoo', 'odoo-stand-in', 'static-site', 'wordpress', 'wordpress-debian'])
    await seedApplication(db, code)
}

/** A shipped application that is not sold by every test. */
export async function seedApplication(db: Db, code: string): Promise<void> {
  const compose = await readFile(path.join(applicationsFolder, code, 'compose.yaml'), 'utf8')
  await saveApplication(db, { compose, definition: await readApplication(applicationsFolder, code) })
}

async function endWorkflows(client: Client, db: Db, facts: TestInstallationFacts): Promise<void> {
  const subscriptions = await db.selectFrom('subscriptions').select('id').execute()
  const builds = await db.selectFrom('build_orders').select(['id', 'kind']).execute()
  const peers = await db.selectFrom('peers').select('id').execute()
  const webhooks = await db.selectFrom('webhooks').select('id').execute()
  const ids = [
    ...webhooks.map((row) => `webhook/${encodeId('webhook', row.id)}`),
    `sampler/${facts.serverId}`,
    ...peers.map((row) => `peer/${encodeId('peer', row.id)}`),
    ...subscriptions.map((row) => `subscription/${encodeId('subscription', row.id)}`),
    ...builds.map((row) => `${row.kind}/${encodeId('buildOrder', row.id)}`),
  ]
  for (const id of ids) {
    await client.workflow
      .getHandle(id)
      .terminate('the test is over')
      .catch(() => {})
  }
}

/** Everything on the engine that carries this installation's label. */
export async function listObjects(installationId: string) {
  const docker = new Docker()
  const filters = { label: [`io.clouder.installation=${installationId}`] }
  const [containers, volumes, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    docker.listNetworks({ filters }),
  ])
  return { docker, containers, volumes: volumes.Volumes, networks }
}

async function removeObjects(installationId: string): Promise<void> {
  const { docker, containers, volumes, networks } = await listObjects(installationId)
  for (const container of containers) await docker.getContainer(container.Id).remove({ force: true })
  for (const volume of volumes) await docker.getVolume(volume.Name).remove()
  for (const network of networks) await docker.getNetwork(network.Id).remove()
}

/** How long anything may take on a machine that has much else to do. */
export const patienceMs = 180_000

/**
 * Waits until something holds. Who has waited long looks more seldom: on a busy machine the looking is not to keep from happening
 * what is waited for.
 * @param what it is; asked for when it does not hold in time, it can say what there was instead
 */
export async function until<T>(
  what: string | (() => Promise<string>),
  look: () => Promise<T | undefined | false>,
  withinMs = patienceMs,
): Promise<T> {
  const startMs = Date.now()
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    const waitedMs = Date.now() - startMs
    if (waitedMs > withinMs) {
      const told = typeof what === 'string' ? what : await what()
      throw new Error(`not within ${withinMs / 1_000} s: ${told}`)
    }
    await sleep(Math.min(Math.max(100, waitedMs / 5), 1_000))
  }
}
