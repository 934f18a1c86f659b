import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import test, { after, before } from 'node:test'
import { NativeConnection } from '@temporalio/worker'
import { watchSilence, type Watch } from '#activities/server-watch.ts'
import { followServers, type Fleet } from '#bin/server-fleet.ts'
import { serveEngines } from '#bin/server-queue.ts'
import { findPackageArchive } from '#bin/platform/package-archive.ts'
import { makeAuthority } from '#test/support/certificates.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { placeOn } from '#test/support/placement.ts'
import { untilEventsAreListed } from '#test/support/settled-events.ts'
import { takePortBlock } from '#test/support/port-block.ts'
import { startOwnEngine, type OwnEngine } from '#test/support/own-engine.ts'
import { applicationsFolder, backupsFolder, installationKey } from '#test/support/workers.ts'

// Two engines on one machine: that of the run, with its worker beside it, and one of this file's own behind TLS.

let installation: TestInstallation
let diary: Diary
let engine: OwnEngine
let connection: NativeConnection
let fleet: Fleet
let silence: Watch | undefined

/** So that minutes of the real thing are seconds here: only how long is waited differs. */
const hurry = { intervalMs: 500, silenceSeconds: 2 }

before(async () => {
  engine = await startOwnEngine()
  installation = await startInstallation({ sightingIntervalMs: hurry.intervalMs })
  diary = createDiary(installation)
  const { db, client, temporalAddress } = installation
  await db.updateTable('installation').set({ server_silence_seconds: hurry.silenceSeconds }).execute()
  connection = await NativeConnection.connect({ address: temporalAddress })
  const onError = () => {}
  const runner = {
    applicationsFolder,
    busyboxPath: process.env['CLOUDER_BUSYBOX'] ?? '',
    packageArchive: await findPackageArchive(),
    backupsFolder,
  }
  const queue = { connection, namespace: client.options.namespace, onError, intervalMs: hurry.intervalMs }
  fleet = followServers({
    db,
    serve: serveEngines({ db, installationKey, runner, queue }),
    onServer: async () => {},
    onRemoved: async () => {},
    onError,
  })
  await placeOn(installation.db, 'local')
})
after(async () => {
  await silence?.stop()
  await fleet.stop()
  await connection.close()
  await engine.remove()
  await installation.stop()
})

async function server(code: string): Promise<Json> {
  return await diary.get(`/v1/servers/${code}`)
}

async function untilState(code: string, state: string): Promise<Json> {
  return await until(`${code} is ${state}`, async () => {
    const found = await server(code)
    return found['state'] === state && found
  })
}

async function addEngine(code: string, access: object): Promise<void> {
  await diary.post('/v1/servers', { code, engine: access }, 201)
}

/** The refusal of a test, and how long it took. */
async function testInVain(code: string): Promise<{ detail: string; seconds: number }> {
  const beganMs = Date.now()
  const reply = await installation.call('POST', `/v1/servers/${code}/test`, {})
  assert.deepEqual(
    [reply.status, reply.body['code']],
    [503, 'server_unreachable'],
    JSON.stringify(reply.body),
  )
  return { detail: String(reply.body['detail']), seconds: (Date.now() - beganMs) / 1_000 }
}

async function containersOf(subscription: string): Promise<number> {
  const filters = { label: [`io.clouder.subscription=${subscription}`] }
  return (await engine.docker.listContainers({ all: true, filters })).length
}

async function serverTasks(): Promise<Json[]> {
  const tasks = await diary.list('/v1/tasks?limit=100')
  return tasks.filter(({ kind }) => kind === 'server_unreachable')
}

test('an engine behind TLS is served seconds after it was added, and tells what it is and allows', async () => {
  await addEngine('remote', { address: engine.address, ...engine.authority.client })
  // Through TLS nobody sees that a bridge of another engine on this machine has the addresses already.
  await takePortBlock(installation.db, 'remote')
  await untilState('remote', 'reachable')
  const found = await diary.post('/v1/servers/remote/test', {})
  const { Version: version, ApiVersion: apiVersion } = await engine.docker.version()
  assert.deepEqual([found['engine_version'], found['api_version']], [version, apiVersion])
  assert.deepEqual(found['rights'], { list: true, create: true })
  assert.equal((found['free'] as Json)['memory_mib'], found['memory_mib'], 'nothing runs there yet')
  const { Volumes: volumes } = await engine.docker.listVolumes()
  assert.deepEqual(volumes, [], 'what was tried is gone')
})

test('instances run on both servers, and what one is sold is on the engine that it was placed on', async () => {
  const here = await diary.order([{ product: 'static-site' }])
  await placeOn(installation.db, 'remote')
  const there = await diary.order([{ product: 'static-site' }])
  await Promise.all([diary.untilPhase(here, 'active'), diary.untilPhase(there, 'active')])
  assert.deepEqual([await containersOf(here), await containersOf(there)], [0, 1])
  assert.deepEqual([(await server('local'))['instances'], (await server('remote'))['instances']], [1, 1])
  const [instance] = await diary.list(`/v1/instances?subscription=${there}`)
  const answer = await fetch(String(instance?.['address']))
  assert.equal(answer.status, 200)
})

test('a server off parks its own work only: one task, its build waits, others end, and back it is built once', async () => {
  await engine.stop()
  const waiting = await diary.order([{ product: 'static-site' }])
  silence = watchSilence(installation.db, { onError: () => {}, intervalMs: hurry.intervalMs })
  await until('it is told of', async () => (await serverTasks()).length === 1)
  await placeOn(installation.db, 'local')
  const other = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(other, 'active')
  const state = await server('remote')
  assert.equal(state['state'], 'unreachable')
  assert.equal((state['failure'] as Json)['cause'], 'refused')
  assert.notEqual(state['unreachable_since'], null)
  const { phase, parked_reason: parked } = await diary.subscription(waiting)
  assert.deepEqual([phase, parked], ['building', null])

  await engine.start()
  await diary.untilPhase(waiting, 'active')
  await untilState('remote', 'reachable')
  assert.equal(await containersOf(waiting), 1)
  const tasks = await serverTasks()
  assert.equal(tasks.length, 1, 'one outage is one task, however often it was looked at')
  assert.notEqual(tasks[0]?.['closed_at'], null)
  await untilEventsAreListed(installation.db)
  const told = (await diary.list('/v1/events?limit=100')).map(({ kind }) => kind)
  const count = (kind: string) => told.filter((one) => one === kind).length
  assert.deepEqual([count('server.unreachable'), count('server.reachable')], [1, 1])
})

test('an engine that does not take our certificate is refused by name, and served once it is given the right one', async () => {
  const stranger = makeAuthority(`${engine.authority.folder}/stranger`).client
  await addEngine('locked', { address: engine.address, ...stranger, ca: engine.authority.client.ca })
  assert.match((await testInVain('locked')).detail, /TLS wrong/)
  const ours = { address: engine.address, ...engine.authority.client, ca: stranger.ca }
  assert.equal((await installation.call('PUT', '/v1/servers/locked/engine', ours)).status, 200)
  await until('its authority is not ours', async () =>
    /TLS wrong.*verify/.test((await testInVain('locked')).detail),
  )
  const right = { address: engine.address, ...engine.authority.client }
  assert.equal((await installation.call('PUT', '/v1/servers/locked/engine', right)).status, 200)
  await untilState('locked', 'reachable')
})

test('a test of a dead server names the cause within ten seconds', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  t.after(() => silent.close())
  silent.unref()
  const { port } = silent.address() as AddressInfo
  const access = engine.authority.client
  await addEngine('dead', { address: 'tcp://127.0.0.1:9', ...access })
  await addEngine('nameless', { address: 'tcp://no-such-host.invalid:2376', ...access })
  await addEngine('slow', { address: `tcp://127.0.0.1:${port}`, ...access })
  await diary.post('/v1/servers', { code: 'absent' }, 201)
  // One that was added this very second may not be served yet.
  for (const code of ['dead', 'nameless', 'slow']) await untilState(code, 'unreachable')
  const causes = {
    dead: /refused/,
    nameless: /name unknown/,
    slow: /timed out/,
    absent: /worker silent.*not joined/,
  }
  await Promise.all(
    Object.entries(causes).map(async ([code, cause]) => {
      const { detail, seconds } = await testInVain(code)
      assert.match(detail, cause, code)
      assert.ok(seconds < 10, `${code} after ${seconds} s`)
    }),
  )
})
