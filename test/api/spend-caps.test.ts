import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { watchUsage } from '#db/usage-watch.ts'
import { encodeId } from '#domain/identifier.ts'
import { createKey, createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife, type Life } from '#test/support/life.ts'
import { singleType, toCloudEvent } from '#test/support/usage-events.ts'

// Network costs 1.00 a GiB; nothing is used in the month that runs.
let api: TestApi
let life: Life
let path: string
let subscription: string
before(async () => {
  api = await createTestApi()
  life = await liveOneLife(api)
  subscription = encodeId('subscription', life.subscriptionId)
  path = `/v1/subscriptions/${subscription}`
})
after(async () => api.close())

async function use(id: string, quantity: number): Promise<void> {
  const at = new Date(Date.now() - 1_000).toISOString()
  const event = toCloudEvent({ id, subscription, metric: 'network', quantity, at })
  assert.equal((await api.post('/v1/usage-events', event, singleType)).status, 200)
  await watchUsage(api.db, { testClockId: null }, new Date().toISOString())
}

interface Spend {
  readonly cost: { readonly amount_minor: number }
  readonly caps: readonly { readonly set_by: string; readonly held_since: string | null }[]
}

const readSpend = async () => (await api.get(`${path}/spend-caps`)).body as unknown as Spend

test('an event is in the present usage at once, with its cost (D-41)', async () => {
  await use('1', 12)
  const { body } = await api.get(`${path}/usage`)
  const [line] = body['lines'] as { present: Record<string, unknown> }[]
  assert.equal(line?.present['quantity'], '12')
  assert.deepEqual(line.present['cost'], { amount_minor: 1_200, currency: 'USD' })
  assert.match(String(line.present['says']), /^12 GiB/)
})

test('an own cap of 20.00 that stops holds at 20.00; raised, it holds no more; what was told is listed (D-38)', async () => {
  const body = { amount: '20.00', effect: 'stop' }
  assert.equal((await api.put(`${path}/spend-caps/customer`, body)).status, 200)
  await use('2', 8)
  const held = await readSpend()
  assert.equal(held.cost.amount_minor, 2_000)
  assert.deepEqual(
    held.caps.map(({ set_by, held_since }) => [set_by, held_since !== null]),
    [['customer', true]],
  )
  await api.put(`${path}/spend-caps/customer`, { ...body, amount: '50.00' })
  assert.equal((await readSpend()).caps[0]?.held_since, null)
  const { body: warnings } = await api.get(`/v1/usage-warnings?subscription=${subscription}`)
  const thresholds = (warnings['data'] as { kind: string; threshold: string }[])
    .filter(({ kind }) => kind === 'spend')
    .map(({ threshold }) => threshold)
  assert.deepEqual(thresholds.toSorted(), ['100 % of 20.00 USD', '50 % of 20.00 USD', '75 % of 20.00 USD'])
  assert.equal((await api.delete(`${path}/spend-caps/customer`)).status, 204)
  assert.deepEqual((await readSpend()).caps, [])
})

test('who may set a cap for the customer alone does not touch the one of an operator', async () => {
  const key = await createKey(api.db, ['spend_caps:write'])
  const put = async (whose: string) => {
    const response = await api.request(`${path}/spend-caps/${whose}`, {
      method: 'PUT',
      body: JSON.stringify({ amount: '5', effect: 'alert' }),
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': newId(),
      },
    })
    return response.status
  }
  assert.deepEqual([await put('customer'), await put('operator')], [200, 403])
})

test('a cap is refused with the field to blame', async () => {
  const put = async (body: object) => {
    const { status, body: problem } = await api.put(`${path}/spend-caps/operator`, body)
    const [error] = problem['errors'] as { pointer: string }[]
    return [status, problem['code'], error?.pointer]
  }
  assert.deepEqual(await put({ amount: '0', effect: 'stop' }), [422, 'field_invalid', '/amount'])
  assert.deepEqual(await put({ amount: '1.005', effect: 'stop' }), [422, 'field_invalid', '/amount'])
  assert.deepEqual(await put({ amount: '5', effect: 'stop', alerts: [{}] }), [
    422,
    'field_invalid',
    '/alerts/0',
  ])
})

test('usage is invoiced early by an amount that is set and taken away (D-39)', async () => {
  const set = async (amount: string | null) => (await api.put(`${path}/early-invoice`, { amount })).body
  assert.deepEqual(await set('200.00'), { amount: '200.00' })
  const row = await api.db
    .selectFrom('subscriptions')
    .select('early_invoice_minor')
    .where('id', '=', life.subscriptionId)
    .executeTakeFirstOrThrow()
  assert.equal(row.early_invoice_minor, 20_000)
  assert.deepEqual(await set(null), { amount: null })
})
