import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './process.ts'

/** What was downloaded or built once for this user and serves every clone of the repository. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(base, 'clouder')
}

const keptMs = 30 * 24 * 60 * 60_000

/** Removes what nobody has read or written for a month: it was made of sources that are gone. */
export function forgetUnused(folder: string, nowMs = Date.now()): void {
  mkdirSync(folder, { recursive: true })
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    // Another process may have forgotten it meanwhile.
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats?.isFile() && nowMs - Math.max(stats.mtimeMs, stats.atimeMs) > keptMs)
      rmSync(file, { force: true })
  }
}

/**
 * Lets one process at a time do the work called `name`: two starts at once must not both build for minutes
 * and write the same file. A lock whose holder is dead is taken over.
 */
export async function withCacheLock<T>(folder: string, name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true })
  const lockFile = join(folder, `${name}.lock`)
  while (!tryLock(lockFile)) {
    if (isAbandoned(lockFile)) rmSync(lockFile, { force: true })
    else await sleep(300)
  }
  try {
    return await work()
  } finally {
    rmSync(lockFile, { force: true })
  }
}

function tryLock(lockFile: string): boolean {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function isAbandoned(lockFile: string): boolean {
  try {
    const pid = Number(readFileSync(lockFile, 'utf8'))
    // An empty file is a lock that is being written at this moment.
    return pid > 0 && !isAlive(pid)
  } catch {
    return false
  }
}
