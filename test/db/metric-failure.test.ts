import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { noteMetricLook } from '#db/metric-failure.ts'
import { hasOpenTask } from '#db/task.ts'
import { encodeId } from '#domain/identifier.ts'
import type { MetricFailure } from '#domain/runner.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife, type Life } from '#test/support/life.ts'

let api: TestApi
let life: Life
before(async () => {
  api = await createTestApi()
  life = await liveOneLife(api)
})
after(async () => api.close())

async function look(minute: number, ...failures: MetricFailure[]): Promise<void> {
  const now = `2026-03-01T10:0${minute}:00.000Z`
  await noteMetricLook(api.db, { ...life, instanceName: 'web', failures, now })
}

async function metrics(): Promise<unknown> {
  return (await api.get(`/v1/instances/${encodeId('instance', life.instanceId)}`)).body['metrics']
}

const failure = { metric: 'network', detail: 'the query is broken' }
const hasTask = async () => await hasOpenTask(api.db, 'metric_failed', life.subscriptionId)

test('D-07 a metric that fails three times in a row has one task, shows why and since when, and is settled once it is read', async () => {
  await look(1, failure)
  await look(2, { ...failure, detail: 'the query is broken: line 1' })
  assert.equal(await hasTask(), false)
  assert.partialDeepStrictEqual(await metrics(), [
    {
      code: 'network',
      last: { value: '5', unit: 'GiB', read_at: '2026-02-01T09:30:00.000Z' },
      failure: { since: '2026-03-01T10:01:00.000Z', detail: 'the query is broken: line 1' },
    },
  ])
  await look(3, failure)
  await look(4, failure)
  const tasks = await api.db.selectFrom('tasks').selectAll().where('kind', '=', 'metric_failed').execute()
  assert.deepEqual(
    tasks.map(({ closed_at: closedAt }) => closedAt),
    [null],
  )
  assert.match(tasks[0]?.detail ?? '', /Metric network: the query is broken/)
  await look(5)
  assert.equal(await hasTask(), false)
  assert.partialDeepStrictEqual(await metrics(), [{ code: 'network', failure: null }])
})

test('failures that are not in a row have no task', async () => {
  for (const minute of [1, 3, 5, 7]) {
    await look(minute, failure)
    await look(minute + 1)
  }
  assert.equal(await hasTask(), false)
})

test('an instance that cannot be read at all says so of every metric', async () => {
  await look(1, { metric: 'all', detail: 'the engine is busy' })
  assert.partialDeepStrictEqual(await metrics(), [
    { code: 'network', failure: { detail: 'the engine is busy' } },
  ])
})

test('D-07 a source without a value is told by its code', async () => {
  await look(8, { metric: 'network', detail: 'the query gave no row', code: 'reading_without_value' })
  const told = { code: 'reading_without_value', detail: 'the query gave no row' }
  assert.partialDeepStrictEqual(await metrics(), [{ code: 'network', failure: told }])
  await look(9)
})

test('D-02 what a look left out stays as it is known: a metric that is read more rarely goes on failing', async () => {
  await look(1, failure)
  const at = { ...life, instanceName: 'web', failures: [], now: '2026-03-01T10:02:00.000Z' }
  await noteMetricLook(api.db, { ...at, unread: ['network'] })
  assert.partialDeepStrictEqual(await metrics(), [{ code: 'network', failure: { detail: failure.detail } }])
  await noteMetricLook(api.db, { ...at, unread: [] })
  assert.partialDeepStrictEqual(await metrics(), [{ code: 'network', failure: null }])
})
