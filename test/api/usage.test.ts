import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife } from '#test/support/life.ts'

let api: TestApi
let subscription = ''
before(async () => {
  api = await createTestApi()
  subscription = encodeId('subscription', (await liveOneLife(api)).subscriptionId)
})
after(async () => api.close())

const occurredAt = new Date(Date.now() - 3_600_000).toISOString()

const event = (id: string, more: object = {}) => ({
  source: 'gateway',
  id,
  subscription,
  metric: 'network',
  quantity: '2.5',
  occurred_at: occurredAt,
  ...more,
})

async function currentQuantity(): Promise<string> {
  const { body } = await api.get(`/v1/subscriptions/${subscription}/usage`)
  return (body['lines'] as { current: { quantity: string } }[])[0]?.current.quantity ?? ''
}

test('an event is counted once, however often it is sent', async () => {
  const first = await api.post('/v1/usage', { events: [event('1')] })
  const second = await api.post('/v1/usage', {
    events: [event('1'), event('2', { quantity: 512, unit: 'MiB' })],
  })
  assert.deepEqual(first.body['events'], [{ source: 'gateway', id: '1', result: 'stored' }])
  assert.deepEqual(
    (second.body['events'] as { result: string }[]).map(({ result }) => result),
    ['duplicate', 'stored'],
  )
  assert.equal(await currentQuantity(), '4')
})

const refused: readonly [string, object, number, string, string][] = [
  ['the same id with other content', { id: '1', quantity: '9' }, 409, 'usage_event_conflict', '/events/1'],
  ['a metric that is not sold', { metric: 'cpu' }, 422, 'metric_unknown', '/events/1/metric'],
  ['a unit of another dimension', { unit: 'user' }, 422, 'unit_not_convertible', '/events/1/unit'],
  ['an unknown unit', { unit: 'parsec' }, 422, 'unit_unknown', '/events/1/unit'],
  ['a negative quantity', { quantity: -1 }, 422, 'quantity_invalid', '/events/1/quantity'],
  ['more than 100 days ago', { occurred_at: '2020-01-15T00:00:00Z' }, 422, 'usage_event_too_late', '/events/1/occurred_at'],
  ['the future', { occurred_at: '2999-01-01T00:00:00Z' }, 422, 'usage_event_in_future', '/events/1/occurred_at'],
  ['another kind of id', { subscription: 'cus_01kb0000000000000000000000' }, 400, 'id_kind_mismatch', '/events/1/subscription'],
] // prettier-ignore

for (const [name, more, status, code, pointer] of refused) {
  test(`${name} is refused as ${code}, and the whole batch with it`, async () => {
    const before = await currentQuantity()
    const reply = await api.post('/v1/usage', {
      events: [event(`before ${code}`.replaceAll(' ', '-')), event('x', more)],
    })
    assert.deepEqual([reply.status, reply.body['code']], [status, code])
    assert.equal((reply.body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
    assert.equal(await currentQuantity(), before)
  })
}

test('after the end, what was used before it is taken, and what was used later is refused', async () => {
  const endedAt = new Date(Date.now() - 1_800_000)
  await api.db
    .updateTable('subscription_lines')
    .set({ ends_on: endedAt.toISOString().slice(0, 10) })
    .where('subscription_id', '=', decodeId('subscription', subscription))
    .execute()
  await api.db
    .updateTable('subscriptions')
    .set({ phase: 'unbuilding', ends_on: endedAt.toISOString().slice(0, 10) })
    .where('id', '=', decodeId('subscription', subscription))
    .execute()
  const earlier = new Date(Date.now() - 50 * 3_600_000).toISOString()
  const taken = await api.post('/v1/usage', { events: [event('before-the-end', { occurred_at: earlier })] })
  assert.deepEqual(
    [taken.status, taken.body['events']],
    [200, [{ source: 'gateway', id: 'before-the-end', result: 'stored' }]],
    JSON.stringify(taken.body),
  )
  const { late_usage_at: cameAt } = await api.db
    .selectFrom('subscriptions')
    .select('late_usage_at')
    .where('id', '=', decodeId('subscription', subscription))
    .executeTakeFirstOrThrow()
  assert.notEqual(cameAt, null)
  const now = new Date().toISOString()
  const refusal = await api.post('/v1/usage', { events: [event('after-the-end', { occurred_at: now })] })
  assert.deepEqual([refusal.status, refusal.body['code']], [409, 'subscription_ended'])
})
