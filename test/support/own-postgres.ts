import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '#bin/platform/ports.ts'
import { ensurePostgres } from '#bin/platform/postgres.ts'
import { stopProcess } from '#bin/platform/process.ts'

/** A PostgreSQL server of a test's own, durable as one that is used, which may be killed: that of the run is everybody's. */
export interface OwnPostgres {
  readonly url: string
  /** As when the machine's memory runs out: nothing is finished, and every connection breaks off. At once, without a wait. */
  readonly kill: () => void
  /** Starts it again with what is on its disk. */
  readonly start: () => Promise<void>
  readonly remove: () => Promise<void>
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = mkdtempSync(path.join(tmpdir(), 'clouder-postgres-'))
  // The server runs as another user, who looks for its data in here.
  chmodSync(folder, 0o755)
  const port = await freePort()
  let pid = 0
  const start = async () => {
    const server = await ensurePostgres({
      folder: path.join(folder, 'data'),
      port,
      password: 'test',
      database: 'clouder',
      logFile: path.join(folder, 'postgres.log'),
      note: () => {},
      onProcess: (started) => (pid = started),
      env: {},
    })
    return server.url
  }
  const url = await start()
  return {
    url,
    kill() {
      // The others first: one that outlives the first process keeps the data from the next one.
      const others = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      process.kill(pid, 'SIGSTOP')
      for (const other of others.split('\n').filter(Boolean)) process.kill(Number(other), 'SIGKILL')
      process.kill(pid, 'SIGKILL')
    },
    async start() {
      await start()
    },
    async remove() {
      await stopProcess(pid, 'SIGINT', 30_000)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
