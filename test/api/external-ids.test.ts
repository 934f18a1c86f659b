import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

const refused = ({ status, body }: Reply) => [status, body['code'], pointersOf(body)]

function pointersOf(body: Record<string, unknown>): unknown[] {
  return (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
}

const order = (externalId: string) => ({
  customer: 'acme',
  external_id: `${externalId}-order`,
  lines: [{ product: 'support', external_id: `${externalId}-subscription` }],
})

test('each kind takes its external id when it is made, shows it, and is found by it', async () => {
  const made = [
    ['customers', await api.post('/v1/customers', { code: 'crm', name: 'Crm', external_id: 'K/1' }), 'K/1'],
    [
      'products',
      await api.post('/v1/products', {
        code: 'hosting',
        name: 'Hosting',
        billing_type: 'flat',
        billing_timing: 'advance',
        recurrence: { count: 1, unit: 'month' },
        unit: 'month',
        base_price: '1',
        currency: 'USD',
        external_id: 'K/1',
      }),
      'K/1',
    ],
    ['orders', await api.post('/v1/orders', order('made')), 'made-order'],
  ] as const
  for (const [kind, reply, externalId] of made) {
    assert.equal(reply.status, 201, JSON.stringify(reply.body))
    assert.equal(reply.body['external_id'], externalId)
    const found = await api.get(`/v1/${kind}/ext:${encodeURIComponent(externalId)}`)
    assert.equal(found.body['id'], reply.body['id'])
  }
  const [, , [, placed]] = made
  const [subscription] = placed.body['subscriptions'] as { id: string; external_id: string }[]
  assert.equal(subscription?.external_id, 'made-subscription')
  const { body } = await api.get('/v1/subscriptions/ext:made-subscription')
  assert.deepEqual([body['id'], body['external_id']], [subscription?.id, 'made-subscription'])
})

test('an external id is used once per kind, however it comes', async () => {
  await api.post('/v1/customers', { code: 'first', name: 'First', external_id: 'taken' })
  const second = { code: 'second', name: 'Second', external_id: 'taken' }
  const taken = [409, 'external_id_taken', ['/external_id']]
  assert.deepEqual(refused(await api.post('/v1/customers', second)), taken)
  assert.deepEqual(refused(await api.patch('/v1/customers/acme', { external_id: 'taken' })), taken)
  await api.patch('/v1/products/support', { external_id: 'taken' })
  assert.deepEqual(refused(await api.patch('/v1/products/setup', { external_id: 'taken' })), taken)
  await api.post('/v1/orders', order('taken'))
  assert.deepEqual(refused(await api.post('/v1/orders', order('taken'))), taken)
  const otherOrder = { ...order('taken'), external_id: 'other-order' }
  assert.deepEqual(refused(await api.post('/v1/orders', otherOrder)), [
    409,
    'external_id_taken',
    ['/lines/0/external_id'],
  ])
  const { body } = await api.post('/v1/orders', { customer: 'acme', lines: [{ product: 'support' }] })
  const [free] = body['subscriptions'] as { id: string }[]
  const change = { external_id: 'taken-subscription' }
  assert.deepEqual(refused(await api.patch(`/v1/subscriptions/${free?.id ?? ''}`, change)), taken)
})

test('of two who take one external id at once one gets it', async () => {
  const replies = await Promise.all(
    ['one', 'two'].map(async (code) => api.post('/v1/customers', { code, name: code, external_id: 'race' })),
  )
  assert.deepEqual(
    replies.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  )
})

test('it is changed and taken away on each kind, also of an order that is no draft', async () => {
  const { body } = await api.post('/v1/orders', order('changed'))
  const [subscription] = body['subscriptions'] as { id: string }[]
  const paths = [
    '/v1/customers/acme',
    '/v1/products/seat',
    `/v1/orders/${String(body['id'])}`,
    `/v1/subscriptions/${subscription?.id ?? ''}`,
  ]
  for (const path of paths) {
    const changed = await api.patch(path, { external_id: 'changed-anew' })
    assert.deepEqual([changed.status, changed.body['external_id']], [200, 'changed-anew'], path)
    const removed = await api.patch(path, { external_id: null })
    assert.deepEqual([removed.status, removed.body['external_id']], [200, null], path)
  }
  assert.equal((await api.get('/v1/orders/ext:changed-order')).status, 404)
})

test('a body names customers, products and subscriptions by it, and so do lists', async () => {
  await api.patch('/v1/customers/acme', { external_id: 'crm-1' })
  await api.patch('/v1/products/seat', { external_id: 'sku-1' })
  const placed = await api.post('/v1/orders', {
    customer: 'ext:crm-1',
    lines: [{ product: 'ext:sku-1', quantity: 2, external_id: 'contract-1' }],
  })
  assert.equal(placed.status, 201, JSON.stringify(placed.body))
  assert.partialDeepStrictEqual(placed.body, { customer: { code: 'acme' }, lines: [{ product: 'seat' }] })
  const added = await api.post('/v1/orders/preview', {
    customer: 'ext:crm-1',
    lines: [{ product: 'support', subscription: 'ext:contract-1' }],
  })
  assert.equal((added.body['additions'] as unknown[]).length, 1)
  const listed = await api.get('/v1/subscriptions?customer=ext:crm-1&product=ext:sku-1')
  assert.equal((listed.body['data'] as unknown[]).length, 1)
  assert.equal((await api.get('/v1/subscriptions/ext:contract-1/next-invoice')).status, 200)
})

test('what stands for nothing is not found, and a kind without external ids knows none', async () => {
  assert.equal((await api.get('/v1/customers/ext:nobody')).status, 404)
  assert.equal((await api.get('/v1/kits/ext:nobody')).status, 404)
  const unknown = await api.post('/v1/orders/preview', { ...order('none'), customer: 'ext:nobody' })
  assert.deepEqual(refused(unknown), [422, 'customer_unknown', ['/customer']])
})

test('a line that makes several subscriptions or none has no external id for one', async () => {
  const lines = [{ product: 'support' }, { product: 'setup', external_id: 'fee' }]
  const fee = await api.post('/v1/orders/preview', { customer: 'acme', lines })
  assert.deepEqual(refused(fee), [422, 'field_invalid', ['/lines/1/external_id']])
  const prefixed = await api.patch('/v1/customers/acme', { external_id: 'ext:crm-1' })
  assert.deepEqual(refused(prefixed), [422, 'field_invalid', ['/external_id']])
})
