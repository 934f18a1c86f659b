import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife, type Life } from '#test/support/life.ts'

let api: TestApi
let life: Life
before(async () => {
  api = await createTestApi()
  life = await liveOneLife(api)
})
after(async () => api.close())

const request = { starts_on: '2199-07-01', percent: '5', product: 'users' }

async function countLines(): Promise<number> {
  const rows = await api.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', life.subscriptionId)
    .execute()
  return rows.length
}

test('a dry run lists each line with its old and its new price, and saves nothing', async () => {
  const before = await countLines()
  const { status, body } = await api.post('/v1/price-revisions?dry_run=1', request)
  assert.equal(status, 200)
  assert.partialDeepStrictEqual(body, {
    is_dry_run: true,
    revised_count: 1,
    passed_by_count: 0,
    revised: [
      {
        description: 'Users',
        quantity: '5',
        starts_on: '2199-07-01',
        old_price_sentence: '1.00 USD per user',
        new_price_sentence: '1.05 USD per user',
      },
    ],
  })
  assert.equal(await countLines(), before)
})

test('applied, the line ends and its successor has the new price; sent again, nothing more is done', async () => {
  const before = await countLines()
  const send = async () => await api.post('/v1/price-revisions', request, { 'idempotency-key': 'july' })
  const first = await send()
  const second = await send()
  assert.deepEqual(second.body, first.body)
  assert.equal(await countLines(), before + 1)
  assert.deepEqual(await successors(), [
    { price: { model: 'per_unit', unitAmount: '1.05' }, starts_on: '2199-07-01' },
  ])
})

async function successors() {
  return await api.db
    .selectFrom('subscription_lines')
    .select(['price', 'starts_on'])
    .where('subscription_id', '=', life.subscriptionId)
    .where('starts_on', '=', '2199-07-01')
    .execute()
}

test('what is asked wrongly is refused with its field', async () => {
  const refusalOf = async (body: object) => {
    const reply = await api.post('/v1/price-revisions?dry_run=1', body)
    const [first] = reply.body['errors'] as { pointer: string; code: string }[]
    return [first?.pointer, first?.code]
  }
  const price = { model: 'per_unit', unit_amount: '2' }
  assert.deepEqual(await refusalOf({ starts_on: '2199-07-01' }), ['/percent', 'field_required'])
  assert.deepEqual(await refusalOf({ starts_on: '2199-07-01', price }), ['/product', 'field_required'])
  assert.deepEqual(await refusalOf({ ...request, product: 'none' }), ['/product', 'product_unknown'])
  assert.deepEqual(await refusalOf({ ...request, starts_on: '2020-01-01' }), [
    '/starts_on',
    'date_range_invalid',
  ])
  assert.deepEqual(await refusalOf({ ...request, subscriptions: ['sub_none'] }), [
    '/subscriptions/0',
    'subscription_unknown',
  ])
})
