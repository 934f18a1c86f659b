import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setPhase } from '#db/subscription.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'

let api: TestApi
/** The real instant, which tests move on. */
let now = '2026-05-01T10:00:00Z'
before(async () => {
  api = await createTestApi({ now: () => now })
  await seedCatalog(api)
  await api.post('/v1/customers', { code: 'other', name: 'Other' })
})
after(async () => api.close())

interface Environment {
  readonly id: string
  readonly name: string
  readonly prefix: string
}

const lines = [{ product: 'support' }]
const order = async (environment?: unknown, customer = 'acme') =>
  api.post('/v1/orders', { customer, lines, environment })
const draft = async (environment: unknown, more: object = {}) =>
  api.post('/v1/orders/drafts', { customer: 'acme', lines, environment, expires_on: '2026-06-01', ...more })

const environmentOf = ({ body }: Reply) => body['environment'] as Environment
const refused = ({ status, body }: Reply) => [
  status,
  body['code'],
  (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer),
]
const nameTaken = [409, 'name_taken', ['/environment/name']]

async function endUnbuilt({ body }: Reply): Promise<void> {
  const [subscription] = body['subscriptions'] as { id: string }[]
  await setPhase(api.db, decodeId('subscription', subscription?.id ?? ''), { phase: 'ended', now })
}

test('the first order makes the customer’s own environment, the second goes into it', async () => {
  const [first, second] = [await order(), await order(null)]
  assert.match(environmentOf(first).prefix, /^acme-[0-9a-z]{8}$/)
  assert.deepEqual(environmentOf(second), environmentOf(first))
  const { body } = await api.get('/v1/environments?customer=acme')
  assert.partialDeepStrictEqual(body['data'], [{ id: environmentOf(first).id, is_default: true }])
})

test('an order makes a new environment, and a later one goes into it by its id', async () => {
  const made = await order({ name: 'shop', prefix: 'shop-live' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.partialDeepStrictEqual(environmentOf(made), { name: 'shop', prefix: 'shop-live' })
  const { id } = environmentOf(made)
  assert.partialDeepStrictEqual((await api.get(`/v1/environments/${id}`)).body, {
    name: 'shop',
    customer: { code: 'acme' },
    is_default: false,
  })
  assert.equal(environmentOf(await order(id)).id, id)
  assert.deepEqual(refused(await order(id, 'other')), [404, 'not_found', ['/environment']])
})

test('a name and a prefix are used once, whoever asks', async () => {
  await order({ name: 'blog' })
  assert.deepEqual(refused(await order({ name: 'blog', prefix: 'free' }, 'other')), nameTaken)
  assert.deepEqual(refused(await order({ name: 'free', prefix: 'blog' })), [
    409,
    'prefix_taken',
    ['/environment/prefix'],
  ])
  const own = environmentOf(await order()).prefix
  const kept = `kept${own.slice(own.lastIndexOf('-'))}`
  assert.deepEqual(refused(await order({ name: kept })), nameTaken)
})

test('a name of 64 characters, in upper case or with a hyphen at an end is none', async () => {
  for (const name of ['a'.repeat(64), 'Shop', '-shop', 'shop-', '']) {
    assert.deepEqual(refused(await order({ name })), [422, 'name_invalid', ['/environment/name']], name)
    const prefixed = await order({ name: 'fine', prefix: name })
    assert.deepEqual(refused(prefixed), [422, 'name_invalid', ['/environment/prefix']], name)
  }
  assert.equal((await order({ name: 'a'.repeat(40) })).status, 201)
})

test('a quote holds its names until it expires, and is confirmed with them', async () => {
  const quote = await draft({ name: 'quoted' })
  assert.deepEqual(
    [environmentOf(quote), quote.body['names_reserved_until']],
    [{ id: null, name: 'quoted', prefix: 'quoted' }, '2026-06-01T00:00:00.000Z'],
  )
  const asked = { customer: 'other', lines, environment: { name: 'quoted' } }
  assert.deepEqual(refused(await api.post('/v1/orders/preview', asked)), nameTaken)
  assert.deepEqual(refused(await order({ name: 'quoted' }, 'other')), nameTaken)
  assert.deepEqual(refused(await draft({ name: 'quoted' })), nameTaken)
  const confirmed = await api.post(`/v1/orders/${String(quote.body['id'])}/confirm`, {})
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body))
  assert.partialDeepStrictEqual(confirmed.body, {
    environment: { name: 'quoted' },
    names_reserved_until: null,
  })
  assert.deepEqual(refused(await order({ name: 'quoted' })), nameTaken)
})

test('in the shop names are held for the minutes that the seller says, then whoever comes has them', async () => {
  await api.patch('/v1/seller', { reservation_minutes: 45 })
  const quote = await draft({ name: 'basket' }, { channel: 'shop' })
  assert.equal(quote.body['names_reserved_until'], '2026-05-01T10:45:00.000Z')
  now = '2026-05-01T10:44:59Z'
  assert.deepEqual(refused(await order({ name: 'basket' }, 'other')), nameTaken)
  now = '2026-05-01T10:45:00Z'
  assert.equal((await order({ name: 'basket' }, 'other')).status, 201)
  assert.deepEqual(refused(await api.post(`/v1/orders/${String(quote.body['id'])}/confirm`, {})), nameTaken)
})

test('a draft that is cancelled, or names another environment, frees what it held', async () => {
  const quote = await draft({ name: 'given-up' })
  const path = `/v1/orders/${String(quote.body['id'])}`
  assert.equal(environmentOf(await api.patch(path, {})).name, 'given-up')
  const changed = await api.patch(path, { environment: { name: 'instead' } })
  assert.equal(environmentOf(changed).name, 'instead')
  assert.equal((await order({ name: 'given-up' })).status, 201)
  await api.post(`${path}/cancel`, {})
  assert.equal((await order({ name: 'instead' })).status, 201)
})

test('an order that ends before anything was active frees the names; one that was active keeps them', async () => {
  const unbuilt = await order({ name: 'unbuilt' })
  assert.deepEqual(refused(await order({ name: 'unbuilt' })), nameTaken)
  await endUnbuilt(unbuilt)
  assert.equal((await order({ name: 'unbuilt' }, 'other')).status, 201)
  assert.deepEqual(refused(await order(environmentOf(unbuilt).id)), [404, 'not_found', ['/environment']])
  const shared = await order({ name: 'shared' })
  await order(environmentOf(shared).id)
  await endUnbuilt(shared)
  assert.deepEqual(refused(await order({ name: 'shared' })), nameTaken)
})

test('of twenty who take one name in the same second one wins, by draft or by order', async () => {
  for (const [name, take] of [
    ['race-draft', draft],
    ['race-order', order],
  ] as const) {
    const replies = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => take({ name, prefix: `${name}-${index}` })),
    )
    const losers = replies.filter(({ status }) => status !== 201)
    assert.equal(losers.length, 19)
    for (const loser of losers) assert.deepEqual(refused(loser), nameTaken)
  }
  const prefixes = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => order({ name: `taker-${index}`, prefix: 'race-prefix' })),
  )
  assert.equal(prefixes.filter(({ status }) => status === 201).length, 1)
})

test('a used environment is renamed, its prefix is fixed, and every other name is refused with its place', async () => {
  const placed = await order({ name: 'first-home', prefix: 'first-home' })
  await order({ name: 'second-home', prefix: 'second-home' })
  const address = `/v1/environments/${environmentOf(placed).id}`
  assert.deepEqual(refused(await api.patch(address, { prefix: 'other-home' })), [
    409,
    'prefix_fixed',
    ['/prefix'],
  ])
  assert.deepEqual(refused(await api.patch(address, { name: 'second-home' })), [409, 'name_taken', ['/name']])
  for (const name of ['n'.repeat(64), 'Upper', '-dash'])
    assert.deepEqual(refused(await api.patch(address, { name })), [422, 'name_invalid', ['/name']])
  const renamed = await api.patch(address, { name: 'third-home' })
  assert.deepEqual(
    [renamed.status, renamed.body['name'], renamed.body['prefix']],
    [200, 'third-home', 'first-home'],
  )
  const { data } = await api.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'environment.renamed')
    .executeTakeFirstOrThrow()
  assert.deepEqual(data['changes'], [{ what: 'name', from: 'first-home', to: 'third-home' }])
  assert.deepEqual(refused(await order({ name: 'x', prefix: 'first-home' })), [409, 'prefix_taken', ['/environment/prefix']]) // prettier-ignore
})
