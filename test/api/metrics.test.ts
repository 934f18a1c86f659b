import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { decodeId } from '#domain/identifier.ts'
import { insertReadings } from '#db/usage.ts'
import { measureUsages } from '#db/usage-measure.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { batchType, toCloudEvent } from '#test/support/usage-events.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await made('/v1/metrics', disk)
})
after(async () => api.close())

const disk = {
  code: 'disk-held',
  title: 'Disk',
  unit: 'GiB',
  kind: 'gauge',
  aggregation: 'max',
  level: 'volume',
  source_type: 'volume-disk',
}
const usage = {
  billing_type: 'usage',
  billing_timing: 'arrears',
  recurrence: { count: 1, unit: 'month' },
  unit: 'GiB',
  base_price: '0.30',
  currency: 'USD',
}
const composeOf = (metrics: string) => `
services: { web: { image: 'web:1', expose: ['80'], volumes: ['data:/data'] } }
volumes: { data: {} }
x-clouder: { title: Web, public: { service: web, port: 80 }, ready: { path: / }, metrics: [${metrics}] }
`
const named = composeOf('{ metric: disk-held, source: { type: volume-disk, volume: data } }')

async function made(path: string, body: object) {
  const reply = await api.post(path, body)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body
}

async function refused(path: string, body: object, pointer: string) {
  const { status, body: problem } = await api.post(path, body)
  const errors = problem['errors'] as { pointer: string; detail: string }[] | undefined
  assert.deepEqual([errors?.[0]?.pointer], [pointer], JSON.stringify(problem))
  return [status, problem['code'], errors?.[0]?.detail]
}

test('D-01 a metric that is defined once serves ten instances of two applications, and a second one of its code is refused', async () => {
  for (const code of ['shop', 'wiki']) {
    const application = await made('/v1/applications', { code, compose: named })
    assert.deepEqual(application['metrics'], [
      { code: 'disk-held', title: 'Disk', unit: 'GiB', kind: 'gauge', interval_s: null, is_shared: true },
    ])
    await made('/v1/products', {
      ...usage,
      code: `${code}-disk`,
      name: 'Disk',
      metric: 'disk-held',
      applications: [code],
    })
    for (let count = 0; count < 5; count += 1)
      await made('/v1/orders', { customer: 'acme', lines: [{ product: `${code}-disk`, quantity: 1 }] })
  }
  const instances = await api.db.selectFrom('instances').select(['id', 'subscription_id']).execute()
  assert.equal(instances.length, 10)
  for (const [index, { id }] of instances.entries())
    for (const [hour, bytes] of [
      ['01', 2 ** 30],
      ['02', (index + 1) * 2 ** 31],
      ['03', 2 ** 30],
    ] as const) {
      const at = `2026-03-01T${hour}:00:00Z`
      const reading = { metric: 'disk-held', series: 'volume:data', value: String(bytes), unit: 'B' }
      await insertReadings(api.db, { instanceId: id, isOpening: false, sampledAt: at, readAt: at }, [reading])
    }
  const answers = await measureUsages(
    api.db,
    instances.map(({ id, subscription_id: subscriptionId }) => ({
      subscriptionId,
      instanceId: id,
      metric: 'disk-held',
      unit: 'GiB',
      window: { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' },
      isLast: false,
    })),
  )
  assert.deepEqual(
    answers.map((answer) => answer.usage.quantity),
    ['2', '4', '6', '8', '10', '12', '14', '16', '18', '20'],
  )
  const found = await api.get('/v1/metrics/disk-held')
  assert.deepEqual([found.body['application_count'], found.body['product_count']], [2, 2])
  const [status, code] = await refused('/v1/metrics', { ...disk, unit: 'MiB' }, '/code')
  assert.deepEqual([status, code], [409, 'code_taken'])
})

test('what a file may say of a shared metric is where it stands: no second definition, no other source, no unknown code', async () => {
  const own =
    '{ code: disk-held, title: D, unit: MiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: data } }'
  for (const [metrics, reason] of [
    [own, /defined once for all applications .*write metric: disk-held/],
    ['{ metric: disk-held, source: { type: engine-memory } }', /disk-held is read from volume-disk/],
    ['{ metric: nothing, source: { type: engine-memory } }', /there is no shared metric nothing/],
    ['{ metric: disk-held, source: { type: volume-disk, volume: gone } }', /there is no volume gone/],
    ['{ metric: disk-held, unit: B, source: { type: volume-disk, volume: data } }', /unit/],
  ] as const) {
    const [status, code, detail] = await refused(
      '/v1/applications',
      { code: 'second', compose: composeOf(metrics) },
      '/compose',
    )
    assert.deepEqual([status, code], [422, 'application_refused'])
    assert.match(String(detail).replaceAll('; ', ' '), reason)
  }
})

test('a metric that is not one is refused: what grows by its highest value, an event that is read, a container’s volume', async () => {
  for (const [change, pointer] of [
    [{ kind: 'counter', level: 'instance', source_type: 'command' }, '/aggregation'],
    [{ kind: 'event', aggregation: 'sum', level: 'customer', source_type: 'command' }, '/source_type'],
    [{ kind: 'counter', aggregation: 'sum', level: 'customer', source_type: 'pushed' }, '/kind'],
    [{ level: 'container' }, '/level'],
    [{ aggregation: 'percentile' }, '/percent'],
    [{ bucket_s: 3600 }, '/bucket_s'],
    [{ unit: 'furlong' }, '/unit'],
    [{ source_type: 'pushed', level: 'customer', needs_history: true }, '/needs_history'],
  ] as const)
    await refused('/v1/metrics', { ...disk, code: 'wrong', ...change }, pointer)
  assert.equal((await api.get('/v1/metrics/wrong')).status, 404)
})

test('what is missed of a metric that needs history is filled in: no source without it may give it', async () => {
  await made('/v1/metrics', {
    ...disk,
    code: 'load',
    level: 'instance',
    source_type: undefined,
    needs_history: true,
  })
  const json =
    '{ metric: load, source: { type: http-json, service: web, port: 80, path: /, pointer: /load } }'
  const [, , detail] = await refused(
    '/v1/applications',
    { code: 'loaded', compose: composeOf(json) },
    '/compose',
  )
  assert.match(String(detail), /choose a source that keeps history/)
  const query = '{ metric: load, source: { type: prometheus-query, service: web, query: load } }'
  await made('/v1/applications', { code: 'loaded', compose: composeOf(query) })
})

test('products bill what is pushed under a shared metric as it is defined, in their own unit', async () => {
  await made('/v1/metrics', {
    code: 'seats',
    title: 'Seats',
    unit: 'user',
    kind: 'gauge',
    aggregation: 'max',
    level: 'customer',
    source_type: 'pushed',
  })
  const product = { ...usage, code: 'seats', name: 'Seats', metric: 'seats', unit: 'user' }
  assert.equal(
    (await refused('/v1/products', { ...product, unit: 'GiB' }, '/unit'))[1],
    'unit_not_convertible',
  )
  await made('/v1/products', product)
  const alone = { ...usage, code: 'alone', name: 'Alone', metric: 'disk-held' }
  assert.equal((await refused('/v1/products', alone, '/metric'))[1], 'metric_unknown')
  const order = await made('/v1/orders', { customer: 'acme', lines: [{ product: 'seats', quantity: 1 }] })
  const [subscription] = order['subscriptions'] as { id: string }[]
  const start = new Date(Date.now() - 3_600_000).toISOString()
  const events = ['4', '9', '6'].map((quantity, index) =>
    toCloudEvent({
      source: 'test',
      id: `seats-${index}`,
      subscription: subscription?.id ?? '',
      metric: 'seats',
      quantity,
      at: new Date().toISOString(),
    }),
  )
  const { body: pushed } = await api.post('/v1/usage-events', events, batchType)
  assert.deepEqual(pushed, { stored: 3, duplicates: 0, refused: [] })
  const [answer] = await measureUsages(api.db, [
    {
      subscriptionId: decodeId('subscription', subscription?.id ?? ''),
      instanceId: null,
      metric: 'seats',
      unit: 'user',
      window: { start, end: new Date(Date.now() + 3_600_000).toISOString() },
      isLast: false,
    },
  ])
  assert.equal(answer?.usage.quantity, '9')
})

test('a code under which amounts were billed comes to mean no other thing', async () => {
  await made('/v1/products', { ...usage, code: 'mails', name: 'Mails', metric: 'mails', unit: 'piece' })
  const metric = { ...disk, code: 'mails', level: 'customer', source_type: 'pushed' }
  assert.equal((await refused('/v1/metrics', { ...metric, unit: 'piece' }, '/code'))[1], 'code_taken')
  const sum = { ...metric, kind: 'event', aggregation: 'sum' }
  assert.equal((await refused('/v1/metrics', { ...sum, unit: 'GiB' }, '/code'))[1], 'code_taken')
  await made('/v1/metrics', { ...sum, unit: 'piece' })
})

test('a metric in use is not deleted; archived nothing new names it, and what named it goes on', async () => {
  const { body } = await api.delete('/v1/metrics/disk-held')
  assert.deepEqual([body['code'], body['detail']], ['in_use', 'It is used by 2 applications, 2 products.'])
  assert.ok((await api.post('/v1/metrics/disk-held/archive', {})).body['archived_at'])
  await made('/v1/applications', { code: 'shop', compose: named.replace('web:1', 'web:2') })
  const application = await refused('/v1/applications', { code: 'third', compose: named }, '/compose')
  const product = { ...usage, code: 'third', name: 'Disk', metric: 'disk-held', applications: ['shop'] }
  assert.deepEqual(
    [application[1], (await refused('/v1/products', product, '/metric'))[1]],
    ['metric_archived', 'metric_archived'],
  )
  await api.post('/v1/metrics/disk-held/unarchive', {})
  await made('/v1/products', product)
})

test('what people read of a metric changes, and what it measures never does, by files neither', async () => {
  const renamed = await api.patch('/v1/metrics/disk-held', { title: 'Disk space' })
  assert.deepEqual([renamed.body['title'], renamed.body['unit']], ['Disk space', 'GiB'])
  assert.equal((await api.patch('/v1/metrics/disk-held', { title: 'Disk', unit: 'B' })).status, 422)
  const { body: catalog } = await api.get('/v1/catalog')
  const metrics = catalog['metrics'] as object[]
  const again = await api.post('/v1/catalog', { metrics })
  assert.deepEqual([again.body['changes'], again.body['unchanged_count']], [[], metrics.length])
  const title = await api.post('/v1/catalog', { metrics: [{ ...disk, title: 'Space' }] })
  assert.deepEqual(title.body['changes'], [
    {
      section: 'metrics',
      code: 'disk-held',
      action: 'changed',
      differences: [{ pointer: '/title', from: 'Disk space', to: 'Space' }],
    },
  ])
  const [, code] = await refused('/v1/catalog', { metrics: [{ ...disk, unit: 'MiB' }] }, '/metrics/0/code')
  assert.equal(code, 'code_taken')
})

test('the catalog with its metrics is applied to an empty installation', async () => {
  const { body } = await api.get('/v1/catalog')
  const other = await createTestApi()
  try {
    const applied = await other.post('/v1/catalog', body)
    assert.equal(applied.status, 200, JSON.stringify(applied.body))
    assert.deepEqual((await other.get('/v1/catalog')).body, body)
  } finally {
    await other.close()
  }
})
