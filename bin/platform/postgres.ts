import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { endLeftoverPostgres, initialiseCluster, placeCluster } from './postgres-cluster.ts'
import { PlatformProblem } from './problem.ts'
import { messageOf } from '#domain/errors.ts'
import { isAlive, startProcess, stopProcess, tailOf } from './process.ts'
import type { Note } from './progress.ts'

export type PostgresServer = {
  /** The database Clouder uses. */
  url: string
  origin: 'found' | 'started'
}

export type PostgresOptions = {
  folder: string
  port: number
  password: string
  database: string
  logFile: string
  /** Only for tests: a crash of the machine may lose the data, and everything is several times faster. */
  isDurable?: boolean
  note: Note
  /** Told the pid at once, so that the process can be ended whatever happens next. */
  onProcess: (pid: number) => void
  env?: NodeJS.ProcessEnv
}

const startTimeoutMs = 60_000
const quickButLossy = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  // Nothing is replayed or copied from its log, and no database lives long enough to be vacuumed.
  'wal_level=minimal',
  'max_wal_senders=0',
  // It may be in memory; a checkpoint without fsync costs little.
  'max_wal_size=1GB',
  'checkpoint_timeout=1h',
  'autovacuum=off',
  // Tables of few rows: planning a statement costs far more than a plan for its values could gain. What is true of the values of
  // one call alone, such as which partial index an insert meets, is thereby refused: it is written into the statement.
  'plan_cache_mode=force_generic_plan',
]

/** A PostgreSQL server: the one at DATABASE_URL, else a real one of our own in the data folder. */
export async function ensurePostgres(options: PostgresOptions): Promise<PostgresServer> {
  const named = (options.env ?? process.env)['DATABASE_URL']
  if (named) return requireNamedServer(named)
  const cluster = placeCluster(options.folder, options.note)
  await endLeftoverPostgres(cluster)
  initialiseCluster(cluster, options.password, options.isDurable ?? true)
  const server = await startServer(cluster.postgres, cluster.folder, cluster.user, options)
  await createDatabase(server.url, options.database)
  return { ...server, url: withDatabase(server.url, options.database) }
}

async function requireNamedServer(url: string): Promise<PostgresServer> {
  const failure = await tryConnect(url)
  if (failure === undefined) return { url, origin: 'found' }
  throw new PlatformProblem({
    found: `DATABASE_URL is set, and the connection fails: ${failure}`,
    wanted:
      'A PostgreSQL 15 or later with a database Clouder may create tables in, or no DATABASE_URL at all.',
    command: 'psql "$DATABASE_URL" -c "select version()"   # or: unset DATABASE_URL',
    stillWorks: 'Without DATABASE_URL a PostgreSQL is started in the data folder.',
  })
}

async function startServer(
  command: string,
  folder: string,
  user: { uid: number; gid: number } | undefined,
  options: PostgresOptions,
): Promise<PostgresServer> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
  ]
  if (options.isDurable === false) settings.push(...quickButLossy)
  const child = startProcess({
    command,
    args: ['-D', folder, '-p', String(options.port), ...settings.flatMap((setting) => ['-c', setting])],
    logFile: options.logFile,
    ...(user === undefined ? {} : { user }),
    cwd: folder,
  })
  child.on('error', () => undefined)
  const pid = child.pid ?? 0
  if (pid > 0) options.onProcess(pid)
  const url = `postgres://postgres:${options.password}@127.0.0.1:${options.port}/postgres`
  const until = Date.now() + startTimeoutMs
  while (Date.now() < until && isAlive(pid)) {
    if ((await tryConnect(url)) === undefined) return { url, origin: 'started' }
    await sleep(100)
  }
  await stopProcess(pid, 'SIGINT', 5_000)
  throw new PlatformProblem({
    found: `PostgreSQL did not start. Its last words:\n${tailOf(options.logFile, 8)}`,
    wanted: `A server that answers on port ${options.port} with the data of ${folder}.`,
    command: `tail -50 ${options.logFile}`,
    stillWorks: 'DATABASE_URL=postgres://… npm start uses a server of yours instead.',
  })
}

async function createDatabase(url: string, database: string): Promise<void> {
  const client = new Client({ connectionString: url })
  // A server that is stopped meanwhile fails what was asked; unheard, it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const found = await client.query('select from pg_database where datname = $1', [database])
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`)
  } finally {
    await client.end()
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

async function tryConnect(url: string): Promise<string | undefined> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.end()
    return undefined
  } catch (error) {
    return messageOf(error) || 'no answer'
  }
}
