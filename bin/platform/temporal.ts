import { Connection } from '@temporalio/client'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformProblem } from './problem.ts'
import { messageOf } from '#domain/errors.ts'
import { isAlive, startProcess, stopProcess, tailOf } from './process.ts'
import { ensureTemporalCommand } from './temporal-command.ts'
import type { Note } from './progress.ts'

export type TemporalServer = {
  address: string
  uiUrl: string | undefined
  origin: 'found' | 'started'
}

export type TemporalOptions = {
  port: number
  uiPort: number
  namespace: string
  /** Made beside it by a server that is started here: for installations that share one. */
  otherNamespaces?: readonly string[]
  logFile: string
  /** Where workflows survive a restart; without it everything is kept in memory. */
  databaseFile?: string
  note: Note
  /** Told the pid at once, so that the process can be ended whatever happens next. */
  onProcess: (pid: number) => void
  env?: NodeJS.ProcessEnv
}

const startTimeoutMs = 60_000

/**
 * What the server has SQLite do by itself, a journal that is rolled back, syncs the disk several times a commit, and every task of a
 * workflow is several commits. A log written ahead syncs once; full, so that a power cut loses no commit either.
 */
const pragmas = ['journal_mode=WAL', 'synchronous=FULL'].flatMap((pragma) => ['--sqlite-pragma', pragma])

/** For a server that keeps all in memory and ends with its tests: collecting garbage seldom saves a quarter of its time. */
const inMemoryEnv = { GOGC: '400' }

/** A Temporal server: the one at TEMPORAL_ADDRESS, else a development server of our own. */
export async function ensureTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const env = options.env ?? process.env
  const named = env['TEMPORAL_ADDRESS']
  if (named) return requireNamedServer(named, options.namespace, env['TEMPORAL_UI_URL'])
  const command = await ensureTemporalCommand(options.note, env)
  return startServer(command, options)
}

async function requireNamedServer(
  address: string,
  namespace: string,
  uiUrl: string | undefined,
): Promise<TemporalServer> {
  const failure = await tryNamespace(address, namespace, 5_000)
  if (failure === undefined) return { address, uiUrl, origin: 'found' }
  throw new PlatformProblem({
    found: `TEMPORAL_ADDRESS is ${address}, and its namespace "${namespace}" cannot be used: ${failure}.`,
    wanted: 'A Temporal server at TEMPORAL_ADDRESS (host:port, without http://) that has the namespace.',
    command: `temporal operator namespace create --address ${address} --namespace ${namespace}   # or: unset TEMPORAL_ADDRESS`,
    stillWorks: 'Without TEMPORAL_ADDRESS a development server is started. The data folder is not touched.',
  })
}

async function startServer(command: string, options: TemporalOptions): Promise<TemporalServer> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const database =
    options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile, ...pragmas]
  const ports = [
    '--ip',
    '127.0.0.1',
    '--port',
    String(options.port),
    '--ui-port',
    String(options.uiPort),
    ...[options.namespace, ...(options.otherNamespaces ?? [])].flatMap((name) => ['--namespace', name]),
  ]
  const child = startProcess({
    command,
    args: ['server', 'start-dev', ...database, ...ports, '--log-level', 'warn', '--log-format', 'json'],
    logFile: options.logFile,
    ...(options.databaseFile === undefined ? { env: { ...process.env, ...inMemoryEnv } } : {}),
  })
  child.on('error', () => undefined)
  const pid = child.pid ?? 0
  if (pid > 0) options.onProcess(pid)
  const address = `127.0.0.1:${options.port}`
  const until = Date.now() + startTimeoutMs
  while (Date.now() < until && isAlive(pid)) {
    if ((await tryNamespace(address, options.namespace, 1_000)) === undefined) {
      if (options.databaseFile !== undefined) closeToOthers(options.databaseFile)
      return { address, uiUrl: `http://localhost:${options.uiPort}`, origin: 'started' }
    }
    await sleep(100)
  }
  await stopProcess(pid, 'SIGKILL', 1_000)
  throw new PlatformProblem({
    found: `The Temporal development server did not start. Its last words:\n${tailOf(options.logFile, 8)}`,
    wanted: `A server that answers at ${address}.`,
    command: `tail -50 ${options.logFile}`,
    stillWorks: 'TEMPORAL_ADDRESS=host:port npm start uses a server of yours instead.',
  })
}

/** The server makes its files readable for everybody, and they hold every workflow's history. */
function closeToOthers(databaseFile: string): void {
  for (const file of [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`])
    if (existsSync(file)) chmodSync(file, 0o600)
}

/** Why the namespace cannot be used, or undefined when it can. */
async function tryNamespace(
  address: string,
  namespace: string,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: timeoutMs })
    try {
      await connection.workflowService.describeNamespace({ namespace })
      return undefined
    } finally {
      await connection.close()
    }
  } catch (error) {
    return messageOf(error)
  }
}
