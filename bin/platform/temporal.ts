import { Connection } from '@temporalio/client'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformProblem } from './problem.ts'
import { isAlive, startProcess, stopProcess, tailOf } from './process.ts'
import { ensureTemporalCommand } from './temporal-command.ts'
import type { Note } from './progress.ts'

export type TemporalServer = {
  address: string
  uiUrl: string | undefined
  origin: 'found' | 'started'
  pid: number | undefined
  stop(): Promise<void>
}

export type TemporalOptions = {
  port: number
  uiPort: number
  logFile: string
  /** Where workflows survive a restart; without it everything is kept in memory. */
  databaseFile?: string
  note: Note
  env?: NodeJS.ProcessEnv
}

const startTimeoutMs = 60_000

/** A Temporal server: the one at TEMPORAL_ADDRESS, else a development server of our own. */
export async function ensureTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const env = options.env ?? process.env
  const named = env['TEMPORAL_ADDRESS']
  if (named) return requireNamedServer(named, env['TEMPORAL_UI_URL'])
  const command = await ensureTemporalCommand(options.note, env)
  return startServer(command, options)
}

async function requireNamedServer(address: string, uiUrl: string | undefined): Promise<TemporalServer> {
  if (await answers(address, 5_000)) {
    return { address, uiUrl, origin: 'found', pid: undefined, stop: async () => undefined }
  }
  throw new PlatformProblem({
    found: `TEMPORAL_ADDRESS is ${address}, and no Temporal server answers there.`,
    wanted:
      'A Temporal server at TEMPORAL_ADDRESS (host:port, without http://), or no TEMPORAL_ADDRESS at all.',
    command: 'unset TEMPORAL_ADDRESS && npm start   # then a development server is started',
    stillWorks: 'Nothing that needs workflows. The data folder is not touched.',
  })
}

async function startServer(command: string, options: TemporalOptions): Promise<TemporalServer> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const database = options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile]
  const ports = ['--ip', '127.0.0.1', '--port', String(options.port), '--ui-port', String(options.uiPort)]
  const child = startProcess({
    command,
    args: ['server', 'start-dev', ...database, ...ports, '--log-level', 'warn', '--log-format', 'json'],
    logFile: options.logFile,
  })
  child.on('error', () => undefined)
  const pid = child.pid ?? 0
  const address = `127.0.0.1:${options.port}`
  const until = Date.now() + startTimeoutMs
  while (Date.now() < until && isAlive(pid)) {
    if (await answers(address, 1_000)) {
      const stop = () => stopProcess(pid, 'SIGTERM', 15_000)
      return { address, uiUrl: `http://localhost:${options.uiPort}`, origin: 'started', pid, stop }
    }
    await sleep(100)
  }
  await stopProcess(pid, 'SIGKILL', 1_000)
  throw new PlatformProblem({
    found: `The Temporal development server did not start. Its last words:\n${tailOf(options.logFile, 8)}`,
    wanted: `A server that answers at ${address}.`,
    command: `tail -50 ${join(options.logFile)}`,
    stillWorks: 'TEMPORAL_ADDRESS=host:port npm start uses a server of yours instead.',
  })
}

async function answers(address: string, timeoutMs: number): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: timeoutMs })
    try {
      await connection.workflowService.describeNamespace({ namespace: 'temporal-system' })
      return true
    } finally {
      await connection.close()
    }
  } catch {
    return false
  }
}
