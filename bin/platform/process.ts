import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export type ProcessOptions = {
  command: string
  args: string[]
  logFile: string
  env?: NodeJS.ProcessEnv
  cwd?: string
  user?: { uid: number; gid: number }
}

/**
 * Starts a process in a session of its own, so that Ctrl-C in the terminal reaches only us and we stop
 * everything in order. Its output goes straight to a file: it keeps writing there when we are killed.
 */
export function startProcess(options: ProcessOptions): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600)
  try {
    return spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...options.user,
    })
  } finally {
    closeSync(log)
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return readState(pid) !== 'Z'
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * When the process began, in whatever unit the system counts. A pid alone may have been given to somebody
 * else since; a pid and its beginning together name one process.
 */
export function birthOf(pid: number): string | undefined {
  const stat = readStat(pid)
  if (stat !== undefined) return stat[19]
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
  return ps.status === 0 ? ps.stdout.trim() : undefined
}

/** Asks a process to end and waits for it; after the deadline it is killed. A process that is gone is fine. */
export async function stopProcess(pid: number, signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
  if (!trySignal(pid, signal)) return
  if (await isGoneWithin(pid, timeoutMs)) return
  trySignal(pid, 'SIGKILL')
  await isGoneWithin(pid, 5_000)
}

/** The last lines of a log, for a message about the process that wrote it. */
export function tailOf(logFile: string, lines = 25): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return '(no log)'
  }
}

async function isGoneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const until = Date.now() + timeoutMs
  while (Date.now() < until) {
    if (!isAlive(pid)) return true
    await sleep(50)
  }
  return !isAlive(pid)
}

function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function readState(pid: number): string | undefined {
  return readStat(pid)?.[0]
}

/** The fields of Linux's /proc/<pid>/stat from the state on; the command name before it may hold anything. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
