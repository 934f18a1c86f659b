import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { issueApiKey } from '#api/api-key.ts'
import { seedCatalog } from '#bin/demo-catalog.ts'
import { ensureInstallation } from '#bin/installation.ts'
import { freePort } from '#bin/platform/ports.ts'
import { isAlive, startProcess, stopProcess, tailOf } from '#bin/platform/process.ts'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { insertApiKey } from '#db/api-key.ts'
import { saveApplication } from '#db/application.ts'
import { openDatabase, type Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { migrate } from '#db/migrate.ts'
import { readApplication } from '#docker/applications.ts'
import { encodeId } from '#domain/identifier.ts'
import { createApiClient } from './api-client.ts'
import { temporalNamespace, type Defer, type Platform } from './platform.ts'

const applicationsFolder = join(projectFolder, 'applications')
const readyTimeoutMs = 90_000

/**
 * A Clouder of its own for one benchmark: a database, the demo catalog, and the API and the worker as the processes
 * that `npm start` runs. Without a worker, nothing but the API is measured.
 */
export async function startInstallation(
  platform: Platform,
  options: { name: string; hasWorker: boolean; defer: Defer },
) {
  const { name, hasWorker, defer } = options
  const databaseUrl = await createDatabase(platform.postgresUrl, name)
  await migrate(databaseUrl)
  const db = openDatabase(databaseUrl, { applicationName: 'clouder bench', maxConnections: 4 })
  defer(async () => db.destroy())
  const { installationId, serverId } = await ensureInstallation(db, runnerOf(platform))
  for (const code of ['odoo-stand-in', 'static-site']) await saveShipped(db, code)
  await seedCatalog(db, { odoo: 'odoo-stand-in' })
  const apiKey = await createKey(db)
  const port = await freePort()
  const apiUrl = `http://127.0.0.1:${port}`
  const env = childEnv(platform, databaseUrl, port)
  const start = (part: 'api' | 'worker') => startPart(platform, { name, part, env, defer })
  let worker = hasWorker ? start('worker') : undefined
  const api = start('api')
  if (worker) await untilWorks(worker)
  await untilReady(api, async () => {
    const res = await fetch(`${apiUrl}/readyz`).catch(() => undefined)
    return res?.status === 200
  })
  return {
    db,
    apiUrl,
    apiKey,
    ...createApiClient({ apiUrl, apiKey }),
    /** `ins_…`, which every container of it is labelled with. */
    installationId: encodeId('installation', installationId),
    serverId,
    apiPid: api.pid,
    workerPid: worker?.pid,
    /** Nothing that waits for it is done until it is started again. */
    async stopWorker(): Promise<void> {
      await worker?.stop()
      worker = undefined
    },
    async startWorker(): Promise<void> {
      worker = start('worker')
      await untilWorks(worker)
    },
  }
}

export type BenchInstallation = Awaited<ReturnType<typeof startInstallation>>

async function createDatabase(postgresUrl: string, name: string): Promise<string> {
  const client = new Client({ connectionString: postgresUrl })
  await client.connect()
  try {
    await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  const url = new URL(postgresUrl)
  url.pathname = `/${name}`
  return url.href
}

async function saveShipped(db: Db, code: string): Promise<void> {
  const compose = await readFile(join(applicationsFolder, code, 'compose.yaml'), 'utf8')
  await saveApplication(db, { compose, definition: await readApplication(applicationsFolder, code) })
}

async function createKey(db: Db): Promise<string> {
  const id = newId()
  const { text, secretSha256 } = issueApiKey({ id, mode: 'test' })
  await insertApiKey(db, { id, name: 'bench', mode: 'test', secretSha256, scopes: ['*'], expiresAt: null })
  return text
}

function runnerOf({ dockerHost }: Platform): 'docker' | 'dry-run' {
  return dockerHost === undefined ? 'dry-run' : 'docker'
}

function childEnv(platform: Platform, databaseUrl: string, port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CLOUDER_DATABASE_URL: databaseUrl,
    CLOUDER_TEMPORAL_ADDRESS: platform.temporalAddress,
    CLOUDER_TEMPORAL_NAMESPACE: temporalNamespace,
    CLOUDER_HOST: '127.0.0.1',
    CLOUDER_PORT: String(port),
    CLOUDER_PUBLIC_URL: `http://127.0.0.1:${port}`,
    CLOUDER_DATA: platform.data.path,
    CLOUDER_KEY_FILE: platform.data.keyFile,
    CLOUDER_RUNNER: runnerOf(platform),
    // What is measured is the way, not the pace that is kept on it.
    CLOUDER_PEER_MESSAGES_PER_SECOND: '100000',
    // What is measured leaves nothing on the host.
    CLOUDER_HOST_RULES: 'leave',
    CLOUDER_BUSYBOX: platform.busybox ?? '',
    ...(platform.dockerHost === undefined ? {} : { DOCKER_HOST: platform.dockerHost }),
  }
}

interface Part {
  readonly title: string
  readonly pid: number
  readonly logFile: string
  readonly stop: () => Promise<unknown>
}

function startPart(
  { data, run }: Platform,
  options: { name: string; part: 'api' | 'worker'; env: NodeJS.ProcessEnv; defer: Defer },
): Part {
  const title = `${options.name} ${options.part}`
  const logFile = join(data.logs, `${options.name}-${options.part}.log`)
  // What is read there was said by this one.
  rmSync(logFile, { force: true })
  const child = startProcess({
    command: process.execPath,
    args: [...loaderFlags, join(projectFolder, 'bin', `${options.part}.ts`)],
    cwd: projectFolder,
    env: options.env,
    logFile,
  })
  child.on('error', () => undefined)
  const pid = child.pid ?? 0
  if (pid > 0) run.addProcess(title, pid)
  const stop = async () => pid > 0 && (await stopProcess(pid, 'SIGTERM', 20_000))
  options.defer(stop)
  return { title, pid, logFile, stop }
}

async function untilWorks(worker: Part): Promise<void> {
  await untilReady(worker, async () => tailOf(worker.logFile).includes('worker ready'))
}

async function untilReady({ title, pid, logFile }: Part, isReady: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + readyTimeoutMs
  while (!(await isReady())) {
    if (!isAlive(pid) || Date.now() > untilMs)
      throw new Error(`${title} is not ready; its last words:\n${tailOf(logFile, 12)}`)
    await sleep(100)
  }
}
