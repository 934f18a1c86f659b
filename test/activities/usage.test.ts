import assert from 'node:assert/strict'
import { sql } from 'kysely'
import test, { after, before } from 'node:test'
import { lookAtLimits } from '#activities/limit-look.ts'
import { readServer } from '#activities/usage.ts'
import { listMetricStates } from '#db/read/instance.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { questionOf } from '#docker/metrics/prometheus-query.ts'
import type { EarlierReadings, MetricReading, Runner } from '#domain/runner.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const ctx = { abortSignal: new AbortController().signal, onProgress: () => undefined, secrets: {} }
const installationKey = { id: 'test', bytes: Buffer.alloc(32, 3) }
const stepS = 60
const hourMs = 3_600_000

/** One instance that runs, with a counter whose source keeps history and a gauge whose source does not. */
async function sellRunning(): Promise<string> {
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', now: new Date().toISOString() })
  const common = { title: 'Metric', unit: 'piece', aggregation: 'last' }
  const metrics = JSON.stringify([
    {
      ...common,
      code: 'jobs',
      kind: 'counter',
      source: { type: 'prometheus-query', service: 'web', query: 'jobs', step_s: stepS },
    },
    {
      ...common,
      code: 'users',
      kind: 'gauge',
      source: { type: 'command', service: 'web', command: ['users'] },
    },
    {
      ...common,
      code: 'orders',
      kind: 'counter',
      source: { type: 'log-lines', service: 'web', pattern: 'order * paid' },
    },
  ])
  await seller.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update application_versions set definition = jsonb_set(definition, '{metrics}', ${metrics}::jsonb)`.execute(
      tx,
    )
    await sql`update subscriptions set phase = 'active', activated_at = now() where id = ${subscriptionId}`.execute(
      tx,
    )
    await sql`update instances set state = 'running' where subscription_id = ${subscriptionId}`.execute(tx)
  })
  const { rows } = await sql<{ server_id: string }>`
    select server_id from instances where subscription_id = ${subscriptionId}`.execute(seller.db)
  return rows[0]?.server_id ?? ''
}

/** Gives what it is asked for: a source with history all steps since, one without only the present. */
const runner: Runner = {
  ...createDryRunRunner(),
  // Nothing runs: what is used of a sold limit is not counted either.
  readUse: async () => Promise.resolve(1),
  readMetrics: async (_ref, _ctx, since) => {
    const readAt = new Date().toISOString()
    const reading = (metric: string, at?: string): MetricReading => {
      const one = { metric, series: metric, value: '1', unit: 'piece', source: 'test', readAt }
      return at === undefined ? one : { ...one, at }
    }
    const asked = questionOf({ since: since?.get('jobs'), nowMs: Date.now(), stepS })
    const [startS = 0, endS = 0] = [...(asked?.parameters.matchAll(/(?:start|end)=(\d+)/g) ?? [])].map(
      ([, s]) => Number(s),
    )
    const steps = startS === 0 ? 0 : Math.floor((endS - startS) / stepS) + 1
    const past = Array.from({ length: steps }, (_, step) =>
      reading('jobs', new Date((startS + step * stepS) * 1_000).toISOString()),
    )
    const jobs = asked?.path === 'query' ? [reading('jobs')] : past
    return Promise.resolve({ readings: [...jobs, reading('users')], failures: [] })
  },
}

async function listMoments(metric: string): Promise<number[]> {
  const rows = await seller.db
    .selectFrom('readings')
    .select('read_at')
    .where('metric', '=', metric)
    .orderBy('read_at')
    .execute()
  return rows.map((row) => Date.parse(row.read_at))
}

test('D-27 after two hours without a sampler a source that keeps history has no hole, and no value of another is invented', async () => {
  const serverId = await sellRunning()
  await readServer({ db: seller.db, runner, installationKey }, serverId, ctx)
  assert.deepEqual([(await listMoments('jobs')).length, (await listMoments('users')).length], [1, 1])
  await sql`update reading_values set read_at = read_at - interval '2 hours', sampled_at = sampled_at - interval '2 hours'`.execute(
    seller.db,
  )
  const { failed } = await readServer({ db: seller.db, runner, installationKey }, serverId, ctx)
  assert.deepEqual(failed, [])
  const jobs = await listMoments('jobs')
  assert.ok(jobs.length >= 120, `${jobs.length} readings of two hours`)
  const gapsMs = jobs.slice(1).map((at, index) => at - (jobs[index] ?? 0))
  assert.ok(Math.max(...gapsMs) <= (stepS + 1) * 1_000, `a gap of ${Math.max(...gapsMs)} ms`)
  const [first = 0, second = 0, ...others] = await listMoments('users')
  assert.deepEqual(others, [])
  assert.ok(second - first >= 2 * hourMs)
})

test('D-03 a look is given what was stored by the look before it, with the very instant that it was given', async () => {
  const { rows } = await sql<{ server_id: string }>`select server_id from instances limit 1`.execute(
    seller.db,
  )
  const given: EarlierReadings[] = []
  const counting: Runner = {
    ...runner,
    readMetrics: async (_ref, _ctx, _since, earlier) => {
      assert.ok(earlier)
      given.push(earlier)
      const [before] = earlier.newest.get('orders') ?? []
      const value = String(Number(before?.value ?? '0') + 5)
      const readAt = new Date().toISOString()
      const reading = { metric: 'orders', series: 'log:1', value, unit: 'piece', source: 'test', readAt }
      return Promise.resolve({ readings: [reading], failures: [] })
    },
  }
  for (let look = 0; look < 3; look += 1)
    await readServer({ db: seller.db, runner: counting, installationKey }, rows[0]?.server_id ?? '', ctx)
  const [first, second, third] = given
  assert.ok(first && second && third)
  assert.equal(first.newest.get('orders'), undefined)
  const newest = (value: string, { sampledAt }: EarlierReadings) => [
    { metric: 'orders', series: 'log:1', value, sampledAt },
  ]
  assert.deepEqual(second.newest.get('orders'), newest('5', first))
  assert.deepEqual(third.newest.get('orders'), newest('10', second))
})

test('D-02 a metric with an interval of its own is read when it is due, between ticks too, and shows when it is read next', async () => {
  const { rows } = await sql<{ id: string; server_id: string }>`
    select id, server_id from instances where state = 'running' limit 1`.execute(seller.db)
  const { id = '', server_id: serverId = '' } = rows[0] ?? {}
  const source = { type: 'command', service: 'web', command: ['users'] }
  const common = { title: 'Metric', unit: 'piece', kind: 'gauge', aggregation: 'last', source }
  const metrics = JSON.stringify([
    { ...common, code: 'usual' },
    { ...common, code: 'quick', intervalS: 10 },
    { ...common, code: 'slow', intervalS: 3_600 },
  ])
  await seller.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update application_versions set definition = jsonb_set(definition, '{metrics}', ${metrics}::jsonb)`.execute(
      tx,
    )
  })
  const asked: string[] = []
  const telling: Runner = {
    ...runner,
    readMetrics: async ({ definition }) => {
      asked.push(definition.metrics.map(({ code }) => code).join())
      const failures = [{ metric: 'quick', detail: 'it does not answer' }]
      return Promise.resolve({ readings: [], failures })
    },
  }
  const deps = { db: seller.db, runner: telling, installationKey }
  /** As if one metric had been looked at long ago, and every other one a moment from now. */
  const lookedAtLongAgo = async (metric: string) =>
    sql`update metric_looks set looked_at = now() + case when metric = ${metric} then interval '-2 hours' else interval '1 minute' end`.execute(
      seller.db,
    )
  const first = await readServer(deps, serverId, ctx)
  assert.deepEqual([first.isWatched, first.lookEveryMs], [true, 10_000])
  await lookedAtLongAgo('none')
  await readServer(deps, serverId, ctx)
  await lookAtLimits(deps, serverId, ctx)
  await lookedAtLongAgo('quick')
  await lookAtLimits(deps, serverId, ctx)
  await lookedAtLongAgo('slow')
  await lookAtLimits(deps, serverId, ctx)
  assert.deepEqual(asked, ['usual,quick,slow', 'usual', 'quick', 'slow'])

  const now = Date.now()
  const states = await listMetricStates(seller.db, id)
  assert.deepEqual(
    states.map(({ metric, interval_seconds: seconds, failure }) => [metric, seconds, failure]),
    [
      ['quick', 10, 'it does not answer'],
      ['slow', 3_600, null],
      ['usual', 300, null],
    ],
  )
  for (const { next_reading_at: next, interval_seconds: seconds } of states) {
    const untilMs = Date.parse(next ?? '') - now
    assert.ok(untilMs > 0 && untilMs <= seconds * 1_000 + 5_000, `${untilMs} ms`)
  }
  await sql`update instances set state = 'suspended' where id = ${id}`.execute(seller.db)
  assert.ok((await listMetricStates(seller.db, id)).every((state) => state.next_reading_at === null))
})
