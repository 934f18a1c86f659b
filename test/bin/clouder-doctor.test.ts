import { until } from '#test/support/installation.ts'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { fail, NothingToLookAt, ok, runChecks } from '#bin/clouder/doctor/check.ts'
import { judgeOrders } from '#bin/clouder/doctor/docker.ts'
import { judgeRoutes, judgeRules } from '#bin/clouder/doctor/host.ts'
import { openTask } from '#db/task.ts'
import { newId } from '#db/identifier.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

interface Report {
  readonly state: 'ok' | 'warn' | 'fail'
  readonly checks: { name: string; state: string; found: string; wanted: string; command: string }[]
}

const codes = { ok: 0, warn: 7, fail: 1 } as const

let clouder: Clouder
let services: NodeJS.ProcessEnv
before(async () => {
  clouder = await createClouder()
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(clouder.db)
  const url = new URL(process.env['CLOUDER_TEST_POSTGRES_URL'] ?? '')
  url.pathname = `/${rows[0]?.name ?? ''}`
  services = {
    CLOUDER_DATABASE_URL: url.href,
    CLOUDER_TEMPORAL_ADDRESS: process.env['CLOUDER_TEST_TEMPORAL_ADDRESS'],
    DOCKER_HOST: process.env['DOCKER_HOST'],
  }
})
after(async () => clouder.close())

/** As a process: what it looks at is served by this one, which must not be busy with looking. */
async function examine(env: NodeJS.ProcessEnv = {}): Promise<Report & { code: number | null }> {
  const ran = await clouder.start(['doctor', '--json'], { ...services, ...env }).ended
  const report = JSON.parse(ran.stdout) as Report
  assert.equal(ran.code, codes[report.state], 'the exit code says the worst state')
  return { ...report, code: ran.code }
}

function find(report: Report, name: string) {
  return report.checks.find((check) => check.name === name) ?? assert.fail(`there is no check ${name}`)
}

test('every check says what was found, what is wanted and the one command', async () => {
  const { checks } = await examine()
  assert.ok(checks.length >= 20, `${checks.length} checks`)
  assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length)
  for (const check of checks) {
    assert.match(check.state, /^(ok|warn|fail|skipped)$/)
    for (const text of [check.found, check.wanted, check.command]) assert.notEqual(text, '', check.name)
  }
  const good = ['Node version', 'npm dependencies', 'data folder', 'API', 'API version', 'API key']
  for (const name of [
    ...good,
    'PostgreSQL',
    'migrations',
    'outbox',
    'billing',
    'Temporal',
    'search attributes',
  ])
    assert.equal(find({ state: 'ok', checks }, name).state, 'ok', name)
})

test('queues that no worker asks fail, one check each', async () => {
  const report = await examine()
  assert.equal(report.code, 1)
  assert.match(find(report, 'workflow queue').found, /no worker asks for workflow or activity tasks/)
  assert.match(find(report, 'server queues').found, /no worker for local/)
})

test('without any service the machine is still examined, and what is not known is skipped', async () => {
  const report = await examine({
    CLOUDER_DATABASE_URL: '',
    CLOUDER_TEMPORAL_ADDRESS: '',
    CLOUDER_API_URL: '',
  })
  assert.equal(find(report, 'Node version').state, 'ok')
  for (const name of ['PostgreSQL', 'Temporal', 'workflow queue', 'API version'])
    assert.equal(find(report, name).state, 'skipped', name)
})

test('services that do not answer fail by name, and stop no other check', async () => {
  const nobody = '127.0.0.1:1'
  const report = await examine({
    CLOUDER_DATABASE_URL: `postgres://nobody@${nobody}/clouder`,
    CLOUDER_TEMPORAL_ADDRESS: nobody,
    CLOUDER_API_URL: `http://${nobody}`,
  })
  for (const name of ['PostgreSQL', 'Temporal', 'API']) assert.equal(find(report, name).state, 'fail', name)
  assert.equal(find(report, 'npm dependencies').state, 'ok')
})

test('a secret that others may read fails, with the command that closes it', async () => {
  const file = join(clouder.folder, 'secrets.json')
  writeFileSync(file, '{"postgresPassword":"x"}')
  chmodSync(file, 0o644)
  const open = find(await examine(), 'secrets file')
  assert.deepEqual([open.state, open.command], ['fail', `chmod 600 ${file}`])
  chmodSync(file, 0o600)
  assert.equal(find(await examine(), 'secrets file').state, 'ok')
})

test('a port that somebody else holds is told with the process', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const ports = find(await examine({ CLOUDER_PORT: String(address.port) }), 'ports')
  assert.equal(ports.state, 'warn')
  assert.match(ports.found, new RegExp(`API ${address.port} held by pid ${process.pid}: .*node`))
})

test('an open task is a warning that leads to the tasks', async () => {
  await openTask(clouder.db, {
    kind: 'build_failed',
    subjectKind: 'subscription',
    subjectId: newId(),
    subject: 'Something could not be built',
    detail: 'Do something.',
  })
  const tasks = find(await examine(), 'open tasks')
  assert.deepEqual([tasks.state, tasks.command], ['warn', 'npx clouder tasks'])
})

test('an installation that runs dry needs no engine; one with Docker is compared with it', async () => {
  assert.equal(find(await examine(), 'Docker').state, 'skipped')
  await clouder.db.updateTable('servers').set({ runner: 'docker' }).execute()
  const report = await examine()
  assert.match(find(report, 'Docker').found, /API 1\.\d+/)
  for (const name of ['containers without instance', 'instances without container'])
    assert.equal(find(report, name).state, 'ok', name)
  // Tried with what a build left; on an engine on which nothing was built there is nothing to try it with.
  // While engines of other tests begin and end on this host, they put its rules anew, and for a moment there are none.
  await until('networks are apart', async () =>
    ['ok', 'skipped'].includes(find(await examine(), 'network isolation').state),
  )
})

test('a check that throws fails alone; one with nothing to look at is skipped', async () => {
  const check = { wanted: 'w', command: 'c' }
  const results = await runChecks([
    { ...check, name: 'good', look: () => ok('here') },
    { ...check, name: 'bad', look: () => Promise.reject(new Error('broken\nwith more lines')) },
    { ...check, name: 'poor', look: () => fail('poor') },
    { ...check, name: 'none', look: () => Promise.reject(new NothingToLookAt('not there')) },
  ])
  assert.deepEqual(
    results.map(({ name, state, found }) => [name, state, found]),
    [
      ['good', 'ok', 'here'],
      ['bad', 'fail', 'broken'],
      ['poor', 'fail', 'poor'],
      ['none', 'skipped', 'not there'],
    ],
  )
})

test('without a server that takes orders, as in an installation that was just sold, the doctor warns', () => {
  const open = { code: 'rack-1', draining_since: null }
  const closed = { code: 'local', draining_since: '2026-03-01T00:00:00Z' }
  assert.deepEqual(judgeOrders([closed, open]), { state: 'ok', found: 'rack-1' })
  assert.deepEqual(judgeOrders([closed]), { state: 'warn', found: 'none: local takes nothing new' })
  assert.equal(judgeOrders([]).state, 'warn')
})

test('rules of a host are as its worker saw them; routes of the host into the pool are told, but for bridges', () => {
  const server = { code: 'local', pool: '10.201.0.0/16' }
  const kept = { ...server, rules: { state: 'kept', detail: 'chain CLOUDER-1' } } as const
  const refused = {
    ...server,
    code: 'rack-2',
    rules: { state: 'not_permitted', detail: 'must be root' },
  } as const
  const off = { ...server, rules: { state: 'off', detail: 'none is wanted' } } as const
  assert.deepEqual(judgeRules([kept]), { state: 'ok', found: 'kept on local' })
  assert.deepEqual(judgeRules([kept, refused]), { state: 'warn', found: 'rack-2: must be root' })
  assert.equal(judgeRules([{ ...server, rules: null }, off]).state, 'skipped')
  const bridge = { range: '10.201.0.0/26', holder: 'route of br-0123456789ab' }
  assert.equal(judgeRoutes(server.pool, [bridge]).state, 'ok')
  const { state, found } = judgeRoutes(server.pool, [
    bridge,
    { range: '10.0.0.0/8', holder: 'route of tun0' },
  ])
  assert.equal(state, 'warn')
  assert.match(found, /not all ours: route of tun0 has 10\.0\.0\.0\/8/)
})
