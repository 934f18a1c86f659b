import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { changePrice } from '#test/support/product-version.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

const lines = [{ product: 'seat', quantity: 5 }, { product: 'support' }, { product: 'setup' }]

test('an order becomes subscriptions, each with its workflow; a one-time fee joins the first', async () => {
  const { status, body } = await api.post('/v1/orders', { customer: 'acme', lines })
  assert.equal(status, 201)
  const subscriptions = body['subscriptions'] as { id: string; title: string; phase: string }[]
  assert.deepEqual(
    subscriptions.map(({ title, phase }) => [title, phase]),
    [
      ['Seat', 'ordered'],
      ['Support', 'ordered'],
    ],
  )
  await api.idle()
  assert.deepEqual(
    api.temporal.started.map((workflow) => workflow.workflowId).toSorted(),
    subscriptions.map(({ id }) => `subscription/${id}`).toSorted(),
  )
  const { body: first } = await api.get(`/v1/subscriptions/${subscriptions[0]?.id}`)
  assert.deepEqual(
    (first['lines'] as { product: string; quantity: string }[]).map((line) => [line.product, line.quantity]),
    [
      ['seat', '5'],
      ['setup', '1'],
    ],
  )
})

test('a preview saves nothing, needs no key, and says what the order then is', async () => {
  const before = (await api.get('/v1/orders')).body
  const preview = await api.post('/v1/orders/preview', { customer: 'acme', lines }, { 'idempotency-key': '' })
  assert.equal(preview.status, 200)
  assert.deepEqual(preview.body['total_now'], { amount_minor: 7000, currency: 'USD' })
  assert.deepEqual(preview.body['total_per_period'], { amount_minor: 6000, currency: 'USD' })
  assert.deepEqual((await api.get('/v1/orders')).body, before)
})

test('an order agrees what its subscriptions come to at least and at most in a period', async () => {
  const order = { customer: 'acme', lines: [{ product: 'support' }], least_amount: '100' }
  const { body } = await api.post('/v1/orders', { ...order, greatest_amount: '250.50' })
  const [subscription] = body['subscriptions'] as { id: string }[]
  const { body: agreed } = await api.get(`/v1/subscriptions/${subscription?.id}`)
  assert.deepEqual([agreed['least_amount'], agreed['greatest_amount']], ['100', '250.50'])
  const refused = await api.post('/v1/orders', { ...order, greatest_amount: '99.99' })
  assert.equal(refused.status, 422)
  assert.equal(refused.body['code'], 'field_invalid')
})

test('an order is answered while Temporal does not answer, and started when it does', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  api.temporal.behaviour.onStart = () => promise
  const { status, body } = await api.post('/v1/orders', { customer: 'acme', lines: [{ product: 'support' }] })
  assert.equal(status, 201)
  const [subscription] = body['subscriptions'] as { id: string }[]
  const isStarted = () =>
    api.temporal.started.some((workflow) => workflow.workflowId === `subscription/${subscription?.id}`)
  assert.equal(isStarted(), false)
  resolve()
  await api.idle()
  assert.equal(isStarted(), true)
})

test('more than a hundred subscriptions are too many, and a hundred are not', async () => {
  const hundred = Array.from({ length: 100 }, () => ({ product: 'support' }))
  assert.equal((await api.post('/v1/orders/preview', { customer: 'acme', lines: hundred })).status, 200)
  await api.post('/v1/kits', {
    code: 'pair',
    name: 'Pair',
    bill_of_materials: [{ product: 'seat', quantity: 2, sequence: 1 }],
  })
  const { status, body } = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ kit: 'pair', quantity: 101 }],
  })
  assert.deepEqual([status, body['code']], [422, 'order_too_large'])
})

test('subscriptions are narrowed by phase, customer, product and whether they wait for somebody', async () => {
  const count = async (query: string) =>
    ((await api.get(`/v1/subscriptions?limit=100&${query}`)).body['data'] as unknown[]).length
  const all = await count('')
  assert.ok(all > 0)
  assert.equal(await count('phase=ordered&customer=acme&parked=false'), all)
  assert.equal(await count('phase=active'), 0)
  assert.equal(await count('parked=true'), 0)
  assert.equal(
    (await count('product=seat')) + (await count('product=support')) + (await count('kit=pair')),
    all,
  )
  assert.equal((await api.get('/v1/subscriptions?customer=nobody')).body['code'], 'customer_unknown')
})

test('an order at other totals than were seen is refused with both, and at those it is placed', async () => {
  const order = { customer: 'acme', lines: [{ product: 'support', quantity: 2 }] }
  const { body: seen } = await api.post('/v1/orders/preview', order)
  const { amount_minor: now } = seen['total_now'] as { amount_minor: number }
  const { amount_minor: perPeriod } = seen['total_per_period'] as { amount_minor: number }
  const agreed = { total_now_minor: now, total_per_period_minor: perPeriod }
  const refused = await api.post('/v1/orders', { ...order, agreed: { ...agreed, total_now_minor: now - 1 } })
  assert.deepEqual([refused.status, refused.body['code']], [409, 'price_changed'])
  assert.match(String(refused.body['detail']), /20\.00 USD now, not 19\.99 USD/)
  assert.equal((await api.post('/v1/orders', { ...order, agreed })).status, 201)
})

test('a price that changes between preview and order is refused with both amounts, and the new preview is sold', async () => {
  const order = { customer: 'acme', lines: [{ product: 'support', quantity: 2 }] }
  const see = async () => {
    const { body } = await api.post('/v1/orders/preview', order)
    const [now, perPeriod] = [body['total_now'], body['total_per_period']] as { amount_minor: number }[]
    return { total_now_minor: now?.amount_minor, total_per_period_minor: perPeriod?.amount_minor }
  }
  const { body: draft } = await api.post('/v1/orders/drafts', { ...order, expires_on: '2199-05-01' })
  const confirm = `/v1/orders/${String(draft['id'])}/confirm`
  const before = await see()
  await setSupportPrice('12')
  const placed = await api.post('/v1/orders', { ...order, agreed: before })
  assert.deepEqual([placed.status, placed.body['code']], [409, 'price_changed'])
  assert.match(String(placed.body['detail']), /24\.00 USD now, not 20\.00 USD/)
  const quoted = await api.post(confirm, {})
  assert.deepEqual([quoted.status, quoted.body['code']], [409, 'price_changed'])
  assert.match(String(quoted.body['detail']), /Quoted were 20\.00 USD, and it is 24\.00 USD now/)
  const agreed = await see()
  assert.equal((await api.post('/v1/orders', { ...order, agreed })).status, 201)
  const stale = await api.post(confirm, { agreed: before })
  assert.match(String(stale.body['detail']), /24\.00 USD now, not 20\.00 USD/)
  assert.equal((await api.post(confirm, { agreed })).status, 200)
  await setSupportPrice('10.00')
})

async function setSupportPrice(unitAmount: string): Promise<void> {
  await changePrice(api.db, 'support', { unitAmount, effectiveOn: '2020-01-01' })
}
