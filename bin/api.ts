import path from 'node:path'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Client, Connection } from '@temporalio/client'
import pino from 'pino'
import { z } from 'zod'
import { createGuardedFrame } from '#api/app.ts'
import { runForgetting } from '#api/idempotency.ts'
import { runRelay } from '#api/relay.ts'
import { addressRanges, portList } from '#bin/address-ranges.ts'
import { readInstallationKey } from '#bin/installation-key.ts'
import { openDatabase } from '#db/database.ts'
import { listenForEvents } from '#db/event-listener.ts'
import { pendingMigrations } from '#db/migrate.ts'
import { createFolderStorage } from '#docker/backup/folder.ts'
import { openBoundedReader } from '#docker/compose/bounded-reader.ts'

const relayIntervalMs = 1_000
/** Requests under way may end; a stream, which never ends by itself, is closed after this. */
const drainMs = 3_000

const environmentSchema = z.object({
  CLOUDER_DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'is not of the form postgres://…'),
  CLOUDER_TEMPORAL_ADDRESS: z.string().min(1),
  CLOUDER_TEMPORAL_NAMESPACE: z.string().default('default'),
  CLOUDER_TEMPORAL_UI_URL: z.string().default(''),
  CLOUDER_PORT: z.coerce.number().int().min(1).max(65_535).default(4400),
  CLOUDER_HOST: z.string().default('127.0.0.1'),
  CLOUDER_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  // As other hosts reach them; one with a user name is handed to them as it is.
  CLOUDER_SERVERS_DATABASE_URL: z.union([z.url({ protocol: /^postgres(ql)?$/ }), z.literal('')]).default(''),
  CLOUDER_SERVERS_TEMPORAL_ADDRESS: z.string().default(''),
  CLOUDER_KEY_FILE: z.string().default(''),
  CLOUDER_BACKUPS: z.string().default(''),
  CLOUDER_WEBHOOK_RANGES: addressRanges,
  CLOUDER_WEBHOOK_PORTS: portList,
  CLOUDER_PEER_MESSAGES_PER_SECOND: z.coerce.number().int().min(1).max(100_000).default(500),
  CLOUDER_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})

/** All that is wrong is said at once, before anything starts. */
function readEnvironment(): z.output<typeof environmentSchema> {
  const read = environmentSchema.safeParse(process.env)
  if (read.success) return read.data
  console.error(`The API cannot start:\n${z.prettifyError(read.error)}`)
  return process.exit(2)
}

const env = readEnvironment()
// Written beside the requests, not before their answers; what a kill may cost is the last lines of the log.
const log = pino({ level: env.CLOUDER_LOG_LEVEL, base: { part: 'api' } }, pino.destination({ sync: false }))
const db = openDatabase(env.CLOUDER_DATABASE_URL, {
  applicationName: 'clouder api',
  maxConnections: 20,
  arePlansKept: true,
})
const listener = listenForEvents(env.CLOUDER_DATABASE_URL)
// Lazy: the API answers reads, and says what is missing, while Temporal is down.
const connection = Connection.lazy({ address: env.CLOUDER_TEMPORAL_ADDRESS })
const client = new Client({ connection, namespace: env.CLOUDER_TEMPORAL_NAMESPACE })
const composeReader = openBoundedReader()

/** The servers on this machine keep their copies there, as the worker does. */
const backups = createFolderStorage(
  env.CLOUDER_BACKUPS ||
    (env.CLOUDER_KEY_FILE === ''
      ? ''
      : path.join(path.dirname(path.resolve(env.CLOUDER_KEY_FILE)), 'backups')),
)

const { app, afterwards } = createGuardedFrame({
  db,
  client,
  publicUrl: (env.CLOUDER_PUBLIC_URL ?? `http://${env.CLOUDER_HOST}:${env.CLOUDER_PORT}`).replace(/\/$/, ''),
  temporalUiUrl: env.CLOUDER_TEMPORAL_UI_URL.replace(/\/$/, ''),
  temporalNamespace: env.CLOUDER_TEMPORAL_NAMESPACE,
  readApplication: composeReader.read,
  openCopy: (location) => backups.read(location),
  pendingMigrations: rememberUpToDate(async () => pendingMigrations(env.CLOUDER_DATABASE_URL)),
  onEvents: listener.onEvents,
  now: () => new Date().toISOString(),
  installationKey: env.CLOUDER_KEY_FILE === '' ? null : readInstallationKey(env.CLOUDER_KEY_FILE),
  webhookRanges: env.CLOUDER_WEBHOOK_RANGES,
  webhookPorts: env.CLOUDER_WEBHOOK_PORTS,
  peerMessagesPerSecond: env.CLOUDER_PEER_MESSAGES_PER_SECOND,
  joining: {
    databaseUrl: databaseUrlForServers(),
    temporalAddress: env.CLOUDER_SERVERS_TEMPORAL_ADDRESS || env.CLOUDER_TEMPORAL_ADDRESS,
  },
  log,
})
const stopRelay = runRelay({ db, client }, { intervalMs: relayIntervalMs, log })
const stopForgetting = runForgetting(db, log)
const handle = getRequestListener(app.fetch)
const server = createServer((incoming, outgoing) => void handle(incoming, outgoing))

function databaseUrlForServers(): { url: string; hasLogin: boolean } {
  const named = env.CLOUDER_SERVERS_DATABASE_URL
  if (named === '') return { url: env.CLOUDER_DATABASE_URL, hasLogin: false }
  return { url: named, hasLogin: new URL(named).username !== '' }
}

/** A schema never goes back while this code runs: once nothing is pending, the database is not asked again. */
function rememberUpToDate(look: () => Promise<string[]>): () => Promise<string[]> {
  let isUpToDate = false
  return async () => {
    if (isUpToDate) return []
    const pending = await look()
    isUpToDate = pending.length === 0
    return pending
  }
}

/** No new request, then what runs, then what it runs on. */
async function stop(signal: string): Promise<void> {
  log.info({ signal }, 'stopping')
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(timer)
  stopForgetting()
  await afterwards.idle()
  await stopRelay()
  await listener.stop()
  await db.destroy()
  await connection.close()
  await composeReader.close()
  log.info({}, 'stopped')
  process.exit(0)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(signal))
server.on('error', (error) => {
  log.fatal({ err: error }, 'cannot listen')
  process.exit(1)
})
server.listen(env.CLOUDER_PORT, env.CLOUDER_HOST, () => {
  log.info({ host: env.CLOUDER_HOST, port: env.CLOUDER_PORT }, 'listening')
})
