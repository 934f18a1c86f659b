import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'
import { untilEventsAreListed } from '#test/support/settled-events.ts'

let api: TestApi
/** The real instant, which tests move on. */
let now = '2026-05-01T10:00:00.000Z'
before(async () => {
  api = await createTestApi({ now: () => now })
  await seedCatalog(api)
})
after(async () => api.close())

const order = { customer: 'acme', lines: [{ product: 'support' }] }
const fromShop = { ...order, channel: 'shop' }
const refusal = ({ status, body }: Reply) => [status, body['code']]
const notAccepted = [409, 'terms_not_accepted']

async function publish(terms: object): Promise<unknown> {
  const { status, body } = await api.post('/v1/service-terms', terms)
  assert.equal(status, 201, JSON.stringify(body))
  return body['version']
}

test('before the first version nothing has to be accepted, and nothing can be', async () => {
  assert.equal((await api.post('/v1/orders', fromShop)).status, 201)
  assert.deepEqual(
    refusal(await api.post('/v1/orders', { ...fromShop, accepted_terms: { version: 1 } })),
    notAccepted,
  )
})

test('an order of the shop accepts version 3: the order and its event say when and who', async () => {
  assert.equal(await publish({ text: 'First.' }), 1)
  assert.equal(await publish({ url: 'https://example.com/terms/2' }), 2)
  assert.equal(await publish({ text: 'Third.', url: 'https://example.com/terms/3' }), 3)
  assert.deepEqual(refusal(await api.post('/v1/orders', fromShop)), notAccepted)
  const older = await api.post('/v1/orders', { ...fromShop, accepted_terms: { version: 2 } })
  assert.deepEqual(refusal(older), notAccepted)
  assert.match(String(older.body['detail']), /Version 2 .* was accepted, and version 3 is in force/)
  const { status, body } = await api.post('/v1/orders', {
    ...fromShop,
    accepted_terms: { version: 3, by: 'Ada Lovelace' },
  })
  assert.equal(status, 201, JSON.stringify(body))
  const accepted = { version: 3, at: now, by: 'Ada Lovelace' }
  assert.deepEqual(body['accepted_terms'], accepted)
  assert.deepEqual((await api.get(`/v1/orders/${String(body['id'])}`)).body['accepted_terms'], accepted)
  await untilEventsAreListed(api.db)
  const events = (await api.get('/v1/events?limit=100')).body['data'] as { kind: string; data: object }[]
  assert.deepEqual(events.find(({ kind }) => kind === 'order.terms_accepted')?.data, {
    order: body['id'],
    version: 3,
    actor: 'Ada Lovelace',
  })
})

test('a draft of the shop is drawn up without acceptance, and not sold without it', async () => {
  const { body } = await api.post('/v1/orders/drafts', { ...fromShop, expires_on: '2199-05-01' })
  const confirm = `/v1/orders/${String(body['id'])}/confirm`
  assert.equal(body['accepted_terms'], null)
  assert.deepEqual(refusal(await api.post(confirm, {})), notAccepted)
  const sold = await api.post(confirm, { accepted_terms: { version: 3 } })
  assert.equal(sold.status, 200, JSON.stringify(sold.body))
  assert.partialDeepStrictEqual(sold.body['accepted_terms'], { version: 3, at: now })
})

test('staff and programs need it only where the seller says so', async () => {
  assert.equal((await api.post('/v1/orders', order)).status, 201)
  await api.patch('/v1/seller', { terms_required: 'everywhere' })
  assert.deepEqual(refusal(await api.post('/v1/orders', order)), notAccepted)
  assert.equal((await api.post('/v1/orders', { ...order, accepted_terms: { version: 3 } })).status, 201)
  await api.patch('/v1/seller', { terms_required: 'shop' })
})

test('a version that is published for later is in force from then on, and none ever changes', async () => {
  await publish({ text: 'Fourth.', published_at: '2026-06-01T00:00:00Z' })
  const inForce = async () => {
    const { body } = await api.get('/v1/service-terms')
    const rows = body['data'] as { version: number; is_in_force: boolean }[]
    return rows.filter((row) => row.is_in_force).map(({ version }) => version)
  }
  assert.deepEqual(await inForce(), [3])
  now = '2026-06-01T00:00:00.000Z'
  assert.deepEqual(await inForce(), [4])
  assert.deepEqual(
    refusal(await api.post('/v1/orders', { ...fromShop, accepted_terms: { version: 3 } })),
    notAccepted,
  )
  const unsaid = await api.post('/v1/service-terms', {})
  assert.equal(unsaid.status, 422)
})

test('of ten who publish at once each gets a number of its own', async () => {
  const versions = await Promise.all(Array.from({ length: 10 }, async () => publish({ text: 'Next.' })))
  assert.equal(new Set(versions).size, 10)
})
