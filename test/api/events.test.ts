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
