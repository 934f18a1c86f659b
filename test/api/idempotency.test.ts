import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { forgetOldKeys } from '#db/idempotency.ts'
import { newId } from '#db/identifier.ts'
import { createKey, createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

const order = { customer: 'acme', lines: [{ product: 'support', quantity: 1 }] }
const count = async (table: 'orders' | 'outbox' | 'idempotency_keys' | 'customers') =>
  (await api.db.selectFrom(table).selectAll().execute()).length

suite('a POST that writes rows', () => {
  test('fifty at once with one key make one order, one workflow and fifty equal answers', async () => {
    const [orders, starts] = [await count('orders'), await count('outbox')]
    const headers = { 'idempotency-key': newId() }
    const replies = await Promise.all(
      Array.from({ length: 50 }, async () => api.post('/v1/orders', order, headers)),
    )
    assert.deepEqual(new Set(replies.map((reply) => reply.status)), new Set([201]))
    assert.equal(new Set(replies.map((reply) => JSON.stringify(reply.body['id']))).size, 1)
    assert.equal(replies.filter((reply) => reply.headers.get('idempotency-replayed') === 'true').length, 49)
    assert.deepEqual([await count('orders'), await count('outbox')], [orders + 1, starts + 1])
  })

  test('sent again, it gets the first answer with its status and address', async () => {
    const headers = { 'idempotency-key': newId() }
    const first = await api.post('/v1/orders', order, headers)
    const second = await api.post('/v1/orders', order, headers)
    assert.deepEqual(second.body, first.body)
    assert.equal(second.status, 201)
    assert.equal(second.headers.get('location'), first.headers.get('location'))
  })

  test('another body or address with the same key is refused', async () => {
    const headers = { 'idempotency-key': newId() }
    await api.post('/v1/customers', { code: 'beta', name: 'Beta' }, headers)
    const otherBody = await api.post('/v1/customers', { code: 'gamma', name: 'Gamma' }, headers)
    const otherAddress = await api.post('/v1/test-clocks', { code: 'beta', name: 'Beta' }, headers)
    assert.deepEqual([otherBody.status, otherBody.body['code']], [422, 'idempotency_key_reused'])
    assert.equal(otherAddress.status, 422)
    assert.equal((await api.get('/v1/customers/gamma')).status, 404)
  })

  test('two principals may use the same key', async () => {
    const headers = { 'idempotency-key': newId() }
    const other = await createKey(api.db, ['*'])
    const first = await api.post('/v1/orders', order, headers)
    const second = await api.post('/v1/orders', order, { ...headers, authorization: `Bearer ${other}` })
    assert.notEqual(first.body['id'], second.body['id'])
  })

  test('a refused request leaves nothing, and its key can be used for the corrected one', async () => {
    const kept = await count('idempotency_keys')
    const headers = { 'idempotency-key': newId() }
    const refused = await api.post('/v1/orders', { ...order, customer: 'nobody' }, headers)
    assert.equal(refused.status, 422)
    assert.equal(await count('idempotency_keys'), kept)
    assert.equal((await api.post('/v1/orders', order, headers)).status, 201)
  })

  test('a missing or unprintable key is refused', async () => {
    const missing = await api.post('/v1/orders', order, { 'idempotency-key': '' })
    const unprintable = await api.post('/v1/orders', order, { 'idempotency-key': 'two words' })
    const long = await api.post('/v1/orders', order, { 'idempotency-key': 'x'.repeat(256) })
    assert.deepEqual([missing.status, missing.body['code']], [400, 'idempotency_key_missing'])
    assert.deepEqual([unprintable.status, unprintable.body['code']], [400, 'idempotency_key_invalid'])
    assert.equal(long.body['code'], 'idempotency_key_invalid')
  })
})

test('an answer is kept for as long as it is said to be, and then forgotten', async () => {
  const headers = { 'idempotency-key': newId() }
  const first = await api.post('/v1/orders', order, headers)
  await forgetOldKeys(api.db, new Date(Date.now() - 60_000).toISOString())
  assert.deepEqual((await api.post('/v1/orders', order, headers)).body, first.body)
  await forgetOldKeys(api.db, new Date(Date.now() + 60_000).toISOString())
  assert.notEqual((await api.post('/v1/orders', order, headers)).body['id'], first.body['id'])
})

suite('a POST that sends a command', () => {
  const cancel = { when: 'now', reason: 'no longer needed' }

  async function orderSubscription(): Promise<string> {
    const { body } = await api.post('/v1/orders', order)
    const [subscription] = body['subscriptions'] as { id: string }[]
    return subscription?.id ?? ''
  }

  test('sent again, it is one command', async () => {
    const id = await orderSubscription()
    const headers = { 'idempotency-key': newId() }
    const sent = api.temporal.updates.length
    const first = await api.post(`/v1/subscriptions/${id}/cancel`, cancel, headers)
    const second = await api.post(`/v1/subscriptions/${id}/cancel`, cancel, headers)
    assert.deepEqual([first.status, second.status], [200, 200])
    assert.deepEqual(second.body, first.body)
    assert.equal(api.temporal.updates.length, sent + 1)
  })

  test('while it runs, the same one is told to wait', async () => {
    const id = await orderSubscription()
    const headers = { 'idempotency-key': newId() }
    const { promise: answer, resolve } = Promise.withResolvers<void>()
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
    api.temporal.behaviour.onUpdate = async (update) => {
      arrive()
      await answer
      return { requestId: update.updateId, refusal: null }
    }
    const first = api.post(`/v1/subscriptions/${id}/cancel`, cancel, headers)
    await arrived
    const second = await api.post(`/v1/subscriptions/${id}/cancel`, cancel, headers)
    assert.deepEqual([second.status, second.body['code']], [409, 'idempotency_key_in_use'])
    resolve()
    assert.equal((await first).status, 200)
  })

  test('one that was lost with its process is carried out again under the same id', async () => {
    const id = await orderSubscription()
    const key = newId()
    const headers = { 'idempotency-key': key }
    await api.post(`/v1/subscriptions/${id}/cancel`, cancel, headers)
    const sent = api.temporal.updates.length
    await api.db
      .updateTable('idempotency_keys')
      .set({ status: null, response: null, created_at: new Date(Date.now() - 120_000).toISOString() })
      .where('key', '=', key)
      .execute()
    const again = await api.post(`/v1/subscriptions/${id}/cancel`, cancel, headers)
    assert.equal(again.status, 200)
    const ids = api.temporal.updates.slice(sent - 1).map((update) => update.updateId)
    assert.equal(ids.length, 2)
    assert.equal(new Set(ids).size, 1)
  })
})
