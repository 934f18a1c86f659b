import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { ensureBusybox } from '#bin/platform/busybox.ts'
import { ensureDocker } from '#bin/platform/docker.ts'
import { freePort } from '#bin/platform/ports.ts'
import { ensurePostgres } from '#bin/platform/postgres.ts'
import type { Run } from '#bin/platform/run-state.ts'
import { ensureTemporal } from '#bin/platform/temporal.ts'
import { claimTemporaryRun } from '#bin/platform/temporary-run.ts'
import { registerSearchAttributes } from '#bin/search-attributes.ts'
import type { DataFolder } from '#bin/platform/data-folder.ts'
import type { Progress } from '#bin/platform/progress.ts'

const folderPrefix = 'clouder-bench-'
export const temporalNamespace = 'default'

/** What was started is stopped the other way round, whatever happens in between. */
export type Defer = (cleanup: () => unknown) => void

export interface Platform {
  readonly data: DataFolder
  readonly run: Run
  /** Of a user who may create databases. */
  readonly postgresUrl: string
  readonly temporalAddress: string
  readonly temporalPid: number
  /** Undefined: there is no engine, and none can be had. */
  readonly dockerHost: string | undefined
  readonly busybox: string | undefined
}

/**
 * PostgreSQL and Temporal as `npm start` runs them, safe against a crash and on disk, in a temporary folder on free
 * ports. Servers that the shell names may be somebody's real ones: they are never measured.
 */
export async function startPlatform(progress: Progress, defer: Defer): Promise<Platform> {
  const { data, run, remove } = await claimTemporaryRun(folderPrefix)
  defer(remove)
  defer(async () => run.stopAll())
  const postgres = await startPostgres(data, run, progress)
  const temporal = await startTemporal(data, run, progress)
  return { data, run, postgresUrl: postgres.url, ...temporal, ...(await findEngine(data, progress, defer)) }
}

async function startPostgres(data: DataFolder, run: Run, progress: Progress) {
  return await progress.step('PostgreSQL', { usually: '5 s' }, async (note) =>
    ensurePostgres({
      folder: join(data.path, 'postgres'),
      port: await freePort(),
      password: data.postgresPassword,
      database: 'postgres',
      logFile: join(data.logs, 'postgres.log'),
      note,
      onProcess: (pid) => run.addProcess('postgres', pid),
      env: { ...process.env, DATABASE_URL: undefined },
    }),
  )
}

async function startTemporal(data: DataFolder, run: Run, progress: Progress) {
  let temporalPid = 0
  const { address } = await progress.step(
    'Temporal',
    { usually: '5 s; 6 minutes if it must be built' },
    async (note) =>
      ensureTemporal({
        port: await freePort(),
        uiPort: await freePort(),
        namespace: temporalNamespace,
        databaseFile: join(data.path, 'temporal.db'),
        logFile: join(data.logs, 'temporal.log'),
        note,
        onProcess: (pid) => {
          temporalPid = pid
          run.addProcess('temporal', pid)
        },
        env: { ...process.env, TEMPORAL_ADDRESS: undefined },
      }),
  )
  const connection = await Connection.connect({ address })
  try {
    await registerSearchAttributes(connection, temporalNamespace)
  } finally {
    await connection.close()
  }
  return { temporalAddress: address, temporalPid }
}

async function findEngine(data: DataFolder, progress: Progress, defer: Defer) {
  const engine = await progress.step('Docker', { usually: '1 s; 2 minutes if it is installed' }, (note) =>
    ensureDocker({ logFolder: data.logs, note }),
  )
  if (engine !== undefined) defer(async () => engine.stop())
  return {
    dockerHost: engine?.host,
    busybox: engine === undefined ? undefined : await ensureBusybox(progress.line),
  }
}
