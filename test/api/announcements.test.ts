import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { changeSubscription } from '#db/plan.ts'
import { setRecurrence } from '#db/recurrence.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

type Json = Record<string, unknown>

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

async function sell(): Promise<{ id: string; uuid: string; lineId: string }> {
  const order = await api.post('/v1/orders', { customer: 'acme', lines: [{ product: 'seat', quantity: 3 }] })
  const id = (order.body['subscriptions'] as { id: string }[])[0]?.id ?? ''
  await activateSubscription(api.db, decodeId('subscription', id), new Date().toISOString())
  const [line] = (await api.get(`/v1/subscriptions/${id}`)).body['lines'] as Json[]
  return { id, uuid: decodeId('subscription', id), lineId: String(line?.['id']) }
}

async function announced(id: string): Promise<unknown[]> {
  const { body } = await api.get(`/v1/announcements?subscription=${id}`)
  return (body['data'] as Json[]).map((row) => [row['field'], row['old_value'], row['new_value']])
}

test('C-48 a price change is announced with the old and the new value, once', async () => {
  const { id, uuid, lineId } = await sell()
  const key = { subscriptionId: uuid, requestId: 'dearer', actor: 'test', now: new Date().toISOString() }
  const price = { model: 'per_unit', unitAmount: '12' } as const
  const change = { subscriptionLineId: decodeId('subscriptionLine', lineId), price }
  await changeSubscription(api.db, key, change)
  await changeSubscription(api.db, key, change)
  const [only, ...others] = await announced(id)
  assert.deepEqual(others, [])
  const [field, before, after] = only as string[]
  assert.equal(field, 'price')
  assert.match(before ?? '', /10/)
  assert.match(after ?? '', /12/)
})

test('a price revision announces each price that it changes, a preview of it none', async () => {
  const { id } = await sell()
  const starts = Temporal.Now.plainDateISO('UTC').add({ days: 40 }).toString()
  const revision = { percent: '10', starts_on: starts, subscriptions: [id] }
  await api.post('/v1/price-revisions?dry_run=1', revision)
  assert.deepEqual(await announced(id), [])
  const reply = await api.post('/v1/price-revisions', revision)
  assert.equal(reply.body['revised_count'], 1, JSON.stringify(reply.body))
  assert.deepEqual((await announced(id)).length, 1)
})

test('only what the seller chose is announced', async () => {
  const { id, uuid, lineId } = await sell()
  const key = { subscriptionId: uuid, actor: 'test', now: new Date().toISOString() }
  const subscriptionLineId = decodeId('subscriptionLine', lineId)
  await changeSubscription(api.db, { ...key, requestId: 'more' }, { subscriptionLineId, quantity: '4' })
  assert.deepEqual(await announced(id), [])
  const chosen = await api.patch('/v1/seller', { announced_fields: ['quantity', 'recurrence'] })
  assert.equal(chosen.status, 200, JSON.stringify(chosen.body))
  await changeSubscription(api.db, { ...key, requestId: 'again' }, { subscriptionLineId, quantity: '5' })
  assert.deepEqual(await announced(id), [['quantity', '4', '5']])
  await setRecurrence(api.db, { ...key, requestId: 'quarter' }, { count: 1, unit: 'quarter' })
  assert.deepEqual((await announced(id))[0], ['recurrence', '1 month', '3 month'])
})

test('subscriptions have tags and notes, and are listed by tag', async () => {
  const { id } = await sell()
  const { id: other } = await sell()
  const labelled = await api.patch(`/v1/subscriptions/${id}`, {
    tags: ['vip', 'berlin', 'vip'],
    notes: 'Call first.',
  })
  assert.equal(labelled.status, 200, JSON.stringify(labelled.body))
  assert.deepEqual([labelled.body['tags'], labelled.body['notes']], [['berlin', 'vip'], 'Call first.'])
  await api.patch(`/v1/subscriptions/${other}`, { tags: ['vip'] })
  const listed = async (tag: string) =>
    ((await api.get(`/v1/subscriptions?tag=${tag}`)).body['data'] as Json[]).map((row) => row['id'])
  assert.deepEqual(await listed('vip'), [other, id])
  assert.deepEqual(await listed('berlin'), [id])
  assert.deepEqual(await listed('nobody'), [])
  await api.patch(`/v1/subscriptions/${id}`, { tags: [] })
  const { body } = await api.get(`/v1/subscriptions/${id}`)
  assert.deepEqual([body['tags'], body['notes']], [[], 'Call first.'])
  assert.equal((await api.patch(`/v1/subscriptions/${id}`, { tags: ['No tag'] })).status, 422)
})
