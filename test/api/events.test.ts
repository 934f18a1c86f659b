import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertEvent } from '#db/event.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { untilEventsAreListed } from '#test/support/settled-events.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

async function write(number: number): Promise<void> {
  await insertEvent(api.db, { kind: 'usage.read', data: { number } })
}

/** Reads a stream until so many events have come; gives their numbers and the last id. */
async function readStream(count: number, headers: Record<string, string>, meanwhile: () => Promise<void>) {
  const abort = new AbortController()
  const response = await api.request('/v1/events/stream', {
    headers: { authorization: `Bearer ${api.key}`, ...headers },
    signal: abort.signal,
  })
  assert.equal(response.status, 200)
  const reader = (response.body ?? new ReadableStream<Uint8Array>())
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let text = (await reader.read()).value ?? ''
  const writing = meanwhile()
  const numbers = () => [...text.matchAll(/"number":(\d+)/g)].map((match) => Number(match[1]))
  while (numbers().length < count) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
  }
  await writing
  abort.abort()
  await reader.cancel()
  return { numbers: numbers(), lastId: [...text.matchAll(/^id: ?(\S+)$/gm)].at(-1)?.[1] ?? '' }
}

test('a stream that was cut goes on after the last event it gave: none missing, none twice', async () => {
  const first = await readStream(3, {}, async () => {
    for (const number of [1, 2, 3]) await write(number)
  })
  assert.deepEqual(first.numbers, [1, 2, 3])
  for (const number of [4, 5]) await write(number)
  const second = await readStream(3, { 'last-event-id': first.lastId }, async () => write(6))
  assert.deepEqual(second.numbers, [4, 5, 6])
})

test('an event of a transaction that ends late is not missed by those who read on meanwhile', async () => {
  const { promise: release, resolve: open } = Promise.withResolvers<void>()
  const { promise: isWritten, resolve: written } = Promise.withResolvers<void>()
  const late = api.db.transaction().execute(async (tx) => {
    await insertEvent(tx, { kind: 'usage.read', data: { number: 10 } })
    written()
    await release
  })
  await isWritten
  const stream = readStream(2, {}, async () => {
    await write(11)
    open()
    await late
  })
  assert.deepEqual(
    (await stream).numbers.toSorted((a, b) => a - b),
    [10, 11],
  )
})

test('a list goes back from the newest, and before catches up from a known one', async () => {
  for (const number of [21, 22, 23]) await write(number)
  const numbersOf = (body: Record<string, unknown>) =>
    (body['data'] as { data: { number: number } }[]).map((event) => event.data.number)
  await untilEventsAreListed(api.db)
  const newest = await api.get('/v1/events?limit=2')
  assert.deepEqual(numbersOf(newest.body), [23, 22])
  const older = await api.get(`/v1/events?limit=1&after=${String(newest.body['next_cursor'])}`)
  assert.deepEqual(numbersOf(older.body), [21])
  const known = (older.body['data'] as { id: string }[])[0]?.id ?? ''
  assert.deepEqual(numbersOf((await api.get(`/v1/events?before=${known}`)).body), [23, 22])
})

test('events are narrowed to a subscription', async () => {
  const order = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'support' }, { product: 'seat' }],
  })
  const [first] = order.body['subscriptions'] as { id: string }[]
  await untilEventsAreListed(api.db)
  const { body } = await api.get(`/v1/events?subscription=${first?.id}`)
  const events = body['data'] as { kind: string; subscription: string }[]
  assert.deepEqual(
    events.map((event) => [event.kind, event.subscription]),
    [['order.confirmed', first?.id]],
  )
})

test('a stream needs the right to read events', async () => {
  assert.equal((await api.request('/v1/events/stream')).status, 401)
})

const hook = 'https://hooks.example.com/in'

async function makeWebhook(more: object = {}): Promise<Record<string, unknown>> {
  const { status, body } = await api.post('/v1/webhooks', { url: hook, ...more })
  assert.equal(status, 201, JSON.stringify(body))
  return body
}

test('the secret of a webhook is in one answer, and kept in none', async () => {
  const headers = { 'idempotency-key': 'made-once' }
  const { body: made } = await api.post('/v1/webhooks', { url: hook, kinds: ['limit.*'] }, headers)
  assert.match(String(made['secret']), /^whsec_/)
  const address = `/v1/webhooks/${String(made['id'])}`
  const { secret: _, ...shown } = made
  assert.deepEqual((await api.get(address)).body, shown)
  const { body: rotated } = await api.post(`${address}/rotate-secret`, {})
  assert.notEqual(rotated['secret'], made['secret'])
  assert.ok(rotated['old_secret_expires_at'] !== null)
  const kept = await api.db.selectFrom('idempotency_keys').selectAll().execute()
  const events = await api.db.selectFrom('events').selectAll().execute()
  assert.doesNotMatch(JSON.stringify([kept, events]), /whsec_/)
})

test('a webhook is changed, disabled and enabled by a person, and deleted; each is an event', async () => {
  const { id } = await makeWebhook()
  const address = `/v1/webhooks/${String(id)}`
  const changed = await api.patch(address, { kinds: ['invoice.finalized'], description: 'Books' })
  assert.partialDeepStrictEqual(changed.body, { url: hook, kinds: ['invoice.finalized'], description: 'Books' })
  assert.equal((await api.post(`${address}/disable`, {})).body['state'], 'disabled')
  assert.equal((await api.post(`${address}/disable`, {})).body['code'], 'action_not_allowed')
  assert.equal((await api.post(`${address}/enable`, {})).body['state'], 'enabled')
  assert.equal((await api.delete(address)).status, 204)
  for (const [method, path] of [['get', address], ['get', `${address}/deliveries`]] as const)
    assert.equal((await api[method](path)).status, 404) // prettier-ignore
  assert.equal((await api.post(`${address}/test`, {})).status, 404)
  const told = await api.db.selectFrom('events').select('kind').where('kind', 'like', 'webhook.%').orderBy('id').execute()
  const kinds = told.map(({ kind }) => kind.replace('webhook.', ''))
  assert.deepEqual(kinds.slice(-5), ['created', 'changed', 'disabled', 'enabled', 'deleted'])
}) // prettier-ignore

test('events are delivered again by their id or a time, and wait in the log', async () => {
  await write(7)
  const { id } = await makeWebhook({ kinds: ['usage.read'] })
  const address = `/v1/webhooks/${String(id)}`
  const listed = async (query = '') =>
    (await api.get(`${address}/deliveries${query}`)).body['data'] as { event: { id: string; kind: string } }[]
  assert.deepEqual(await listed(), [])
  await write(8)
  const from = new Date(Date.now() - 86_400_000).toISOString()
  const { body } = await api.post(`${address}/redeliver`, { from })
  assert.ok(Number(body['count']) >= 8)
  const [newest] = await listed('?state=waiting&limit=1')
  assert.ok(newest)
  assert.deepEqual(await listed(`?event=${newest.event.id}`), [newest])
  assert.equal((await api.post(`${address}/redeliver`, { event: newest.event.id })).body['count'], 1)
  assert.equal((await api.post(`${address}/redeliver`, {})).body['code'], 'field_invalid')
  const { body: tested } = await api.post(`${address}/test`, {})
  assert.equal((await listed('?limit=1'))[0]?.event.id, tested['event'])
})

test('a private address, an unknown kind and http outside the loopback are refused beside their fields', async () => {
  for (const [body, pointer, code] of [
    [{ url: 'https://10.0.0.1/' }, '/url', 'webhook_url_refused'],
    [{ url: 'https://169.254.169.254/latest/meta-data' }, '/url', 'webhook_url_refused'],
    [{ url: 'http://hooks.example.com/' }, '/url', 'webhook_url_refused'],
    [{ url: hook, kinds: ['limits.reached'] }, '/kinds/0', 'field_invalid'],
    [{ url: hook, kinds: [] }, '/kinds', 'field_invalid'],
  ] as const) {
    const { status, body: problem } = await api.post('/v1/webhooks', body)
    const [error] = problem['errors'] as { pointer: string; code: string }[]
    assert.deepEqual([status, error?.pointer, error?.code], [422, pointer, code], JSON.stringify(body))
  }
})
