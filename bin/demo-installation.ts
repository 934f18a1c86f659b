import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { ensureInstallation } from '#bin/installation.ts'
import { ensureDataFolder, type DataFolder } from '#bin/platform/data-folder.ts'
import { freePort } from '#bin/platform/ports.ts'
import { isAlive, startProcess, stopProcess, tailOf } from '#bin/platform/process.ts'
import type { Run } from '#bin/platform/run-state.ts'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { seed } from '#bin/seed.ts'
import { openDatabase, type Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'

const readyTimeoutMs = 120_000
const stopTimeoutMs = 15_000

/** What several installations on one machine share. */
export interface DemoMachine {
  readonly data: DataFolder
  readonly run: Run
  /** Of a user who may create databases. */
  readonly postgresUrl: string
  /** A migrated database, which each of them has a copy of. */
  readonly template: string
  readonly temporalAddress: string
  readonly temporalUiUrl: string | undefined
}

export type Json = Record<string, unknown>

/** One of several installations: own database, own namespace, own key file, own processes, which can be stopped and started. */
export interface DemoInstallation {
  readonly code: string
  readonly name: string
  readonly apiUrl: string
  readonly loginUrl: string
  readonly db: Db
  call(method: 'GET' | 'POST' | 'PATCH', path: string, body?: Json): Promise<Json>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Made, not started. It sells the demo catalog, and builds nothing for real. */
export async function createDemoInstallation(
  machine: DemoMachine,
  { code, name }: { code: string; name: string },
): Promise<DemoInstallation> {
  const databaseUrl = await copyTemplate(machine, code)
  const db = openDatabase(databaseUrl, { applicationName: 'clouder demo', maxConnections: 2 })
  await ensureInstallation(db, 'dry-run')
  const port = await freePort()
  const apiUrl = `http://127.0.0.1:${port}`
  const { apiKey, loginUrl } = await seed({ databaseUrl, apiUrl })
  if (apiKey === undefined) throw new Error('a new installation has a new key')
  const parts = createParts(machine, { code, databaseUrl, port, apiUrl })
  return { code, name, apiUrl, loginUrl, db, ...parts, call: createCall(apiUrl, apiKey) }
}

async function copyTemplate({ postgresUrl, template }: DemoMachine, name: string): Promise<string> {
  const client = new Client({ connectionString: postgresUrl })
  // A server that is stopped meanwhile fails what was asked; unheard, it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(
      `create database ${client.escapeIdentifier(name)} template ${client.escapeIdentifier(template)}`,
    )
  } finally {
    await client.end()
  }
  const url = new URL(postgresUrl)
  url.pathname = `/${name}`
  return url.href
}

interface Place {
  readonly code: string
  readonly databaseUrl: string
  readonly port: number
  readonly apiUrl: string
}

function createParts(machine: DemoMachine, place: Place): Pick<DemoInstallation, 'start' | 'stop'> {
  const { code, apiUrl } = place
  const data = ensureDataFolder(join(machine.data.path, code))
  const env = partEnv(machine, place, data)
  const logs = { worker: join(data.logs, 'worker.log'), api: join(data.logs, 'api.log') }
  let pids: number[] = []
  return {
    async start() {
      for (const part of ['worker', 'api'] as const) {
        // What is read there was said by this one.
        rmSync(logs[part], { force: true })
        const args = [...loaderFlags, join(projectFolder, 'bin', `${part}.ts`)]
        const child = startProcess({
          command: process.execPath,
          args,
          cwd: projectFolder,
          env,
          logFile: logs[part],
        })
        child.on('error', () => undefined)
        if (child.pid === undefined) throw new Error(`${code} ${part} cannot be started`)
        machine.run.addProcess(`${code} ${part}`, child.pid)
        pids.push(child.pid)
      }
      await untilReady(code, { pids, logs, apiUrl })
    },
    async stop() {
      const ending = pids
      pids = []
      await Promise.all(ending.map(async (pid) => stopProcess(pid, 'SIGTERM', stopTimeoutMs)))
    },
  }
}

function partEnv(machine: DemoMachine, place: Place, data: DataFolder): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CLOUDER_DATABASE_URL: place.databaseUrl,
    CLOUDER_TEMPORAL_ADDRESS: machine.temporalAddress,
    CLOUDER_TEMPORAL_NAMESPACE: place.code,
    CLOUDER_TEMPORAL_UI_URL: machine.temporalUiUrl ?? '',
    CLOUDER_HOST: '127.0.0.1',
    CLOUDER_PORT: String(place.port),
    CLOUDER_PUBLIC_URL: place.apiUrl,
    CLOUDER_DATA: data.path,
    CLOUDER_KEY_FILE: data.keyFile,
    CLOUDER_BACKUPS: join(data.path, 'backups'),
    CLOUDER_RUNNER: 'dry-run',
    CLOUDER_HOST_RULES: 'leave',
    CLOUDER_BUSYBOX: '',
  }
}

async function untilReady(
  code: string,
  of: { pids: readonly number[]; logs: { worker: string; api: string }; apiUrl: string },
): Promise<void> {
  const untilMs = Date.now() + readyTimeoutMs
  const isReady = async () => {
    if (!tailOf(of.logs.worker, 50).includes('worker ready')) return false
    const res = await fetch(`${of.apiUrl}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    )
    return res?.status === 200
  }
  while (!(await isReady())) {
    if (Date.now() > untilMs || !of.pids.every(isAlive))
      throw new Error(
        `${code} is not ready; its last words:\n${tailOf(of.logs.worker, 8)}\n${tailOf(of.logs.api, 8)}`,
      )
    await sleep(100)
  }
}

function createCall(apiUrl: string, apiKey: string): DemoInstallation['call'] {
  return async (method, path, body) => {
    const res = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': newId() }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    const answer = (await res.json()) as Json
    if (!res.ok)
      throw new Error(`${method} ${apiUrl}${path} answered ${res.status}: ${JSON.stringify(answer)}`)
    return answer
  }
}
