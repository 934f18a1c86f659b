import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { decodeId } from '#domain/identifier.ts'
import { changePrice } from '#test/support/product-version.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

const order = { customer: 'acme', lines: [{ product: 'support', quantity: 2 }, { product: 'setup' }] }

async function draft(more: object = {}) {
  const { status, body } = await api.post('/v1/orders/drafts', {
    ...order,
    expires_on: '2199-05-01',
    ...more,
  })
  assert.equal(status, 201, JSON.stringify(body))
  return { body, path: `/v1/orders/${String(body['id'])}` }
}

async function countSubscriptions(): Promise<number> {
  const rows = await api.db.selectFrom('subscriptions').select('id').execute()
  return rows.length
}

function refused(reply: { status: number; body: Record<string, unknown> }) {
  return [reply.status, reply.body['code']]
}

test('a draft is a quote: it says what it comes to and until when, and sells nothing', async () => {
  const before = await countSubscriptions()
  const { body, path } = await draft()
  const preview = await api.post('/v1/orders/preview', order)
  assert.partialDeepStrictEqual(body, {
    state: 'draft',
    expires_on: '2199-05-01',
    quoted: { total_now: preview.body['total_now'], total_per_period: preview.body['total_per_period'] },
    subscriptions: [],
    confirmed_at: null,
  })
  const { body: read } = await api.get(path)
  assert.partialDeepStrictEqual(read, body)
  const none = { agreed_lines: [], builds: [], invoices: [], payments: [], events: [] }
  assert.partialDeepStrictEqual(read, none)
  assert.equal(await countSubscriptions(), before)
})

test('a confirmed draft is sold once, with its lines and the start of its workflow', async () => {
  const { path, body: drafted } = await draft({ purchase_order_reference: 'PO-1' })
  const { status, body } = await api.post(`${path}/confirm`, {})
  assert.equal(status, 200)
  assert.deepEqual([body['id'], body['state'], body['lines']], [drafted['id'], 'confirmed', drafted['lines']])
  const [subscription] = body['subscriptions'] as { id: string }[]
  await api.idle()
  const id = subscription?.id ?? ''
  assert.ok(api.temporal.started.some(({ workflowId }) => workflowId === `subscription/${id}`))
  const row = await api.db
    .selectFrom('subscriptions')
    .select('purchase_order_reference')
    .where('id', '=', decodeId('subscription', id))
    .executeTakeFirst()
  assert.equal(row?.purchase_order_reference, 'PO-1')
  const before = await countSubscriptions()
  assert.deepEqual(refused(await api.post(`${path}/confirm`, {})), [409, 'order_not_draft'])
  assert.equal(await countSubscriptions(), before)
})

test('of ten who confirm at once one sells', async () => {
  const { path } = await draft()
  const before = await countSubscriptions()
  const replies = await Promise.all(Array.from({ length: 10 }, async () => api.post(`${path}/confirm`, {})))
  assert.equal(replies.filter(({ status }) => status === 200).length, 1)
  assert.equal(await countSubscriptions(), before + 1)
})

test('only a draft can be changed, and it is quoted anew', async () => {
  const { path } = await draft()
  const change = { lines: [{ product: 'support', quantity: 3 }], expires_on: '2199-06-01' }
  const { status, body } = await api.patch(path, change)
  assert.equal(status, 200)
  assert.partialDeepStrictEqual(body, {
    expires_on: '2199-06-01',
    lines: [{ product: 'support', quantity: '3' }],
    quoted: { total_per_period: { amount_minor: 3000 } },
  })
  assert.equal((body['lines'] as unknown[]).length, 1)
  assert.equal((await api.post(`${path}/confirm`, {})).status, 200)
  assert.deepEqual(refused(await api.patch(path, change)), [409, 'order_not_draft'])
  const { body: placed } = await api.post('/v1/orders', order)
  assert.deepEqual(refused(await api.patch(`/v1/orders/${String(placed['id'])}`, change)), [
    409,
    'order_not_draft',
  ])
})

test('a cancelled draft is not sold any more', async () => {
  const { path } = await draft()
  assert.equal((await api.post(`${path}/cancel`, {})).body['state'], 'cancelled')
  assert.deepEqual(refused(await api.post(`${path}/confirm`, {})), [409, 'order_not_draft'])
})

test('a quote expires on its day, by the clock that its order lives by', async () => {
  const { body: clock } = await api.post('/v1/test-clocks', { name: 'q', now: '2031-04-10T00:00:00Z' })
  const { path } = await draft({ test_clock: clock['id'], expires_on: '2031-05-01' })
  await api.db
    .updateTable('test_clocks')
    .set({ now_at: '2031-05-01T00:00:00Z' })
    .where('id', '=', decodeId('testClock', String(clock['id'])))
    .execute()
  assert.equal((await api.get(path)).body['state'], 'expired')
  for (const reply of [
    await api.post(`${path}/confirm`, {}),
    await api.post(`${path}/cancel`, {}),
    await api.patch(path, { expires_on: '2031-06-01' }),
  ])
    assert.deepEqual(refused(reply), [409, 'quote_expired'])
})

test('a price that is another one than was quoted sells nothing until it is quoted anew', async () => {
  const { path } = await draft()
  const setPrice = async (unitAmount: string) =>
    changePrice(api.db, 'support', { unitAmount, effectiveOn: '2020-01-01' })
  await setPrice('12')
  assert.deepEqual(refused(await api.post(`${path}/confirm`, {})), [409, 'price_changed'])
  await api.patch(path, {})
  assert.equal((await api.post(`${path}/confirm`, {})).status, 200)
  await setPrice('10.00')
})

test('what is asked wrongly of a draft is refused with its field', async () => {
  const refusalOf = async (more: object) => {
    const { body } = await api.post('/v1/orders/drafts', { ...order, expires_on: '2199-05-01', ...more })
    const [first] = body['errors'] as { pointer: string; code: string }[]
    return [first?.pointer, first?.code]
  }
  assert.deepEqual(await refusalOf({ expires_on: '2020-01-01' }), ['/expires_on', 'date_range_invalid'])
  assert.deepEqual(await refusalOf({ expires_on: undefined }), ['/expires_on', 'field_required'])
  assert.deepEqual(await refusalOf({ lines: [] }), ['/lines', 'order_empty'])
  assert.deepEqual(await refusalOf({ lines: [{ product: 'none' }] }), ['/lines/0/product', 'product_unknown'])
})
