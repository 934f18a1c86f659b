import { createServer, type ServerResponse } from 'node:http'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { readServer } from '#activities/usage.ts'
import type { Db } from '#db/database.ts'
import { createDockerRunner } from '#docker/runner.ts'
import type { BenchContext } from './support/benchmark.ts'
import { startInstallation } from './support/installation.ts'
import { limitOf, type Measurement } from './support/measurement.ts'
import { populate } from './support/population.ts'

/** Of these, twenty have ended and two are suspended: 200 are read. */
const subscriptions = 222
const containers = 200
const repetitions = 5
const limitMs = 3_000
/** What a real engine needs to read the counters of a container. */
const answerMs = 20

/**
 * A tick of the sampler: every instance of a server is looked at and what it has used is stored. The engine is a recorded one, at
 * a socket; where one container hangs, the time is that after which all others are stored.
 */
export async function measureSampler(ctx: BenchContext): Promise<Measurement[]> {
  const { db, serverId } = await startInstallation(ctx.platform, {
    ...ctx,
    name: 'sampler',
    hasWorker: false,
  })
  await populate(db, subscriptions)
  await meterAll(db)
  const engine = await recordEngine(path.join(ctx.platform.data.path, 'sampler.sock'))
  ctx.defer(engine.close)
  const runner = createDockerRunner({
    dockerHost: `unix://${engine.socket}`,
    applicationsFolder: '',
    busyboxPath: '',
    packageArchive: undefined,
  })
  const deps = { db, runner, installationKey: { id: 'bench', bytes: Buffer.alloc(32) } }
  const abort = new AbortController()
  ctx.defer(() => abort.abort())
  const runnerContext = { abortSignal: abort.signal, onProgress: () => undefined, secrets: {} }
  const sound: number[] = []
  for (let turn = 0; turn < repetitions; turn += 1) {
    const startedMs = performance.now()
    const { readings, failed } = await readServer(deps, serverId, runnerContext)
    sound.push(performance.now() - startedMs)
    if (readings !== containers || failed.length > 0)
      throw new Error(`${readings} readings, ${failed.join()}`)
  }
  engine.hang()
  const hanging: number[] = []
  for (let turn = 0; turn < repetitions; turn += 1) {
    ctx.note(`turn ${turn + 1} of ${repetitions} with one that hangs`)
    const startedMs = performance.now()
    const before = await countReadings(db)
    const tick = readServer(deps, serverId, runnerContext)
    while ((await countReadings(db)) < before + containers - 1) await pause(20)
    hanging.push(performance.now() - startedMs)
    const { failed } = await tick
    if (failed.length !== 1) throw new Error(`one hangs, and ${failed.length} failed`)
  }
  const against = limitOf(limitMs)
  const aim = { ratioAtMost: 1 }
  return [
    { measure: `Tick of ${containers} containers`, unit: 'ms', values: sound, against, aim },
    { measure: 'until 199 are stored and one hangs', unit: 'ms', values: hanging, against, aim },
  ]
}

/** What is sold has no metrics of its own. */
async function meterAll(db: Db): Promise<void> {
  const network = { code: 'network', title: 'Network', unit: 'GiB', kind: 'counter', aggregation: 'sum' }
  const metrics = JSON.stringify([{ ...network, source: { type: 'engine-network' } }])
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update application_versions set definition = jsonb_set(definition, '{metrics}', ${metrics}::jsonb)`.execute(
      tx,
    )
  })
}

async function countReadings(db: Db): Promise<number> {
  const { rows } = await sql<{
    count: number
  }>`select count(*)::integer as count from reading_values`.execute(db)
  return rows[0]?.count ?? 0
}

/** Answers what the sampler asks of an engine: of each instance one container, which has moved more each time. */
async function recordEngine(socket: string) {
  let hanging: string | undefined
  let doesHang = false
  let asked = 0
  const answer = (res: ServerResponse, body: unknown) =>
    res.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://engine')
    const [, id, what] = /containers\/([^/]+)\/(json|stats)$/.exec(url.pathname) ?? []
    if (id === undefined) {
      const { label = [] } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { label?: string[] }
      answer(res, [{ Id: Buffer.from(label.toSorted().join()).toString('hex').slice(-64) }])
      return
    }
    hanging ??= id
    if (what === 'json') {
      const state = { Running: true, Status: 'running', StartedAt: '2026-01-01T00:00:00Z' }
      answer(res, { Id: id, Name: `/${id}`, State: state, Config: { Labels: {} } })
      return
    }
    if (doesHang && id === hanging) return
    asked += 1
    const counted = {
      networks: { eth0: { rx_bytes: asked, tx_bytes: asked } },
      cpu_stats: { cpu_usage: { total_usage: asked } },
      memory_stats: {},
      blkio_stats: {},
    }
    setTimeout(() => answer(res, counted), answerMs)
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return {
    socket,
    hang: () => (doesHang = true),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
