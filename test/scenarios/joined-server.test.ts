import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import { sql } from 'kysely'
import { readJoinedServer } from '#bin/joined-server.ts'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { openDatabase } from '#db/database.ts'
import { runClouder } from '#test/support/clouder.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type TestInstallation } from '#test/support/installation.ts'
import { placeOn } from '#test/support/placement.ts'
import { takePortBlock } from '#test/support/port-block.ts'
import { startOwnEngine, type OwnEngine } from '#test/support/own-engine.ts'

// A server with a worker of its own, which joins with the real command line and runs as a process beside a second engine.

let installation: TestInstallation
let diary: Diary
let engine: OwnEngine
let http: Server
let url: string
let worker: ChildProcess | undefined
const folder = mkdtempSync(path.join(tmpdir(), 'clouder-joined-'))

before(async () => {
  engine = await startOwnEngine()
  installation = await startInstallation()
  diary = createDiary(installation)
  const handle = getRequestListener(installation.app.fetch)
  http = createServer((incoming, outgoing) => void handle(incoming, outgoing)).listen(0, '127.0.0.1')
  await once(http, 'listening')
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  await diary.post('/v1/servers', { code: 'rack-2' }, 201)
  await takePortBlock(installation.db, 'rack-2')
})
after(async () => {
  await endWorker('SIGTERM')
  http.close()
  await engine.remove()
  await installation.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function issueToken(): Promise<string> {
  return String((await diary.post('/v1/servers/rack-2/join-token', {}, 201))['token'])
}

async function join(token: string) {
  return await runClouder(['servers', 'join', token, '--url', url, '--no-work'], { CLOUDER_DATA: folder })
}

function startWorker(): void {
  const env = { ...process.env, CLOUDER_DATA: folder, DOCKER_HOST: engine.host }
  const args = [...loaderFlags, 'bin/server-worker.ts']
  worker = spawn(process.execPath, args, { cwd: projectFolder, env, stdio: 'ignore' })
}

async function endWorker(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (worker === undefined || worker.exitCode !== null || worker.signalCode !== null) return
  const exited = once(worker, 'exit')
  worker.kill(signal)
  await exited
}

async function assertNoLogin(databaseUrl: string): Promise<void> {
  await assert.rejects(
    asWorker(databaseUrl, async (db) => db.selectFrom('servers').select('id').execute()),
    /password authentication failed|28P01/,
  )
}

/** With the login that the server's worker has. */
async function asWorker<T>(databaseUrl: string, work: (db: ReturnType<typeof openDatabase>) => Promise<T>) {
  const db = openDatabase(databaseUrl, { maxConnections: 1 })
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}

test('a token that nobody issued, an old one, and one that another replaced, let nobody join', async () => {
  const unknown = await join('join_of-nobody')
  assert.equal(unknown.code, 3)
  assert.match(unknown.stderr, /not known here/)
  const replaced = await issueToken()
  const old = await issueToken()
  assert.match((await join(replaced)).stderr, /not known here/)
  const expiresAt = new Date(Date.now() - 1_000).toISOString()
  await installation.db
    .updateTable('server_join_tokens')
    .set({ created_at: '2026-01-01T00:00:00Z', expires_at: expiresAt })
    .execute()
  const reply = await installation.call('POST', '/v1/servers/join', { token: old })
  assert.deepEqual([reply.status, reply.body['code']], [410, 'token_expired'])
})

test('a token lets one worker join, once; it is kept as a hash, and what was handed over is readable to its user only', async () => {
  const token = await issueToken()
  const joined = await join(token)
  assert.equal(joined.code, 0, joined.stderr)
  const file = path.join(folder, 'server.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!readFileSync(file, 'utf8').includes(token))
  const again = await installation.call('POST', '/v1/servers/join', { token })
  assert.deepEqual([again.status, again.body['code']], [409, 'token_used'])
  const kept = await sql<{
    text: string
  }>`select row_to_json(t)::text as text from server_join_tokens t`.execute(installation.db)
  assert.ok(kept.rows.every(({ text }) => !text.includes(token)))
})

test('the key of the installation is not sent over a network without TLS', async () => {
  const args = ['servers', 'join', 'join_any', '--url', 'http://clouder.example']
  const refused = await runClouder(args, { CLOUDER_DATA: folder })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /must begin with https/)
})

test('a joined worker builds, reads and removes on its own engine, with the secrets of what it builds', async () => {
  startWorker()
  await until(
    'the server is seen',
    async () => (await diary.get('/v1/servers/rack-2'))['state'] === 'reachable',
  )
  await placeOn(installation.db, 'rack-2')
  const subscription = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(subscription, 'active', 120_000)
  const label = [`io.clouder.subscription=${subscription}`]
  const listOwn = async () => await engine.docker.listContainers({ all: true, filters: { label } })
  assert.notEqual((await listOwn()).length, 0)
  const found = await diary.post('/v1/servers/rack-2/test', {})
  assert.deepEqual(found['rights'], { list: true, create: true })
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'the end' })
  await diary.untilPhase(subscription, 'ended', 120_000)
  assert.deepEqual(await listOwn(), [])
})

test('the worker killed, its server’s build waits for it, and is made once when it is back', async () => {
  await endWorker('SIGKILL')
  const waiting = await diary.order([{ product: 'static-site' }])
  await placeOn(installation.db, 'local')
  const other = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(other, 'active')
  assert.equal((await diary.subscription(waiting))['phase'], 'building')
  const dead = await installation.call('POST', '/v1/servers/rack-2/test', {})
  assert.match(String(dead.body['detail']), /worker silent: .*last seen at/)
  startWorker()
  await diary.untilPhase(waiting, 'active')
  const filters = { label: [`io.clouder.subscription=${waiting}`] }
  assert.equal((await engine.docker.listContainers({ all: true, filters })).length, 1)
})

test('the login of a worker sees neither who may sign in nor the money, and ends when another worker joins', async () => {
  const before = readJoinedServer(folder)?.database_url ?? assert.fail('nothing has joined')
  await asWorker(before, async (db) => {
    assert.equal((await db.selectFrom('servers').select('id').execute()).length, 2)
    for (const table of ['api_keys', 'sessions', 'server_secrets', 'invoices', 'number_series'] as const)
      await assert.rejects(db.selectFrom(table).selectAll().execute(), { code: '42501' }, table)
    await assert.rejects(sql`create table mine (id int)`.execute(db), { code: '42501' })
  })
  await endWorker('SIGTERM')
  assert.equal((await join(await issueToken())).code, 0)
  await assertNoLogin(before)
})
