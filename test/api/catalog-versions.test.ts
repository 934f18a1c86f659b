import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await make('/v1/kits', { code: 'starter', name: 'Starter', bill_of_materials: [part('support')] })
})
after(async () => api.close())

type Json = Record<string, unknown>

function part(product: string) {
  return { product, quantity: '1', sequence: 10 }
}

async function make(path: string, body: object): Promise<Json> {
  const reply = await api.post(path, body)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body
}

async function change(path: string, body: object): Promise<Json> {
  const reply = await api.patch(path, body)
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  return reply.body
}

async function product(code: string, more: object = {}): Promise<string> {
  const monthly = { billing_type: 'flat', billing_timing: 'advance', recurrence: { count: 1, unit: 'month' } }
  await make('/v1/products', {
    ...monthly,
    code,
    name: 'Plan',
    unit: 'month',
    base_price: '10.00',
    currency: 'USD',
    ...more,
  })
  return `/v1/products/${code}`
}

/** The line of an order on a clock that stands at noon of a day. */
async function orderOn(day: string, order: object): Promise<Json> {
  const clock = await make('/v1/test-clocks', { name: day, now: `${day}T12:00:00Z` })
  const { subscriptions } = await make('/v1/orders', {
    customer: 'acme',
    lines: [order],
    test_clock: clock['id'],
  })
  const [sold] = subscriptions as { id: string }[]
  const { body } = await api.get(`/v1/subscriptions/${sold?.id ?? ''}`)
  const [line] = body['lines'] as Json[]
  return { ...line, kit_version: body['kit_version'] }
}

async function versionsOf(path: string): Promise<Json[]> {
  return (await api.get(`${path}/versions`)).body['data'] as Json[]
}

test('A-27 version 2 from 1 May: an order on 30 April gets version 1, one on 1 May version 2', async () => {
  const path = await product('plan')
  const changed = await change(path, { base_price: '12.00', name: 'Plan 2', effective_on: '2031-05-01' })
  assert.partialDeepStrictEqual(changed, { version: 2, effective_on: '2031-05-01', base_price: '12.00' })
  const april = await orderOn('2031-04-30', { product: 'plan' })
  const may = await orderOn('2031-05-01', { product: 'plan' })
  assert.partialDeepStrictEqual(april, { product_version: 1, unit_price: '10.00', description: 'Plan' })
  assert.partialDeepStrictEqual(may, { product_version: 2, unit_price: '12.00', description: 'Plan 2' })

  const [first, second] = await versionsOf(path)
  assert.partialDeepStrictEqual(first, {
    version: 1,
    is_in_force: true,
    subscription_count: 1,
    differences: [],
  })
  assert.partialDeepStrictEqual(second, { version: 2, is_in_force: false, subscription_count: 1 })
  assert.deepEqual(second?.['differences'], [
    { pointer: '/name', from: 'Plan', to: 'Plan 2' },
    { pointer: '/base_price', from: '10.00', to: '12.00' },
  ])
  // Today the catalog is still what it was.
  assert.partialDeepStrictEqual((await api.get(path)).body, { version: 1, base_price: '10.00' })
})

test('a change without a day holds at once, and one that changes nothing makes no version', async () => {
  const path = await product('at-once')
  assert.partialDeepStrictEqual(await change(path, { base_price: '11.00' }), { version: 2 })
  assert.partialDeepStrictEqual(await change(path, { base_price: '11.00', name: 'Plan' }), { version: 2 })
  assert.partialDeepStrictEqual((await api.get(path)).body, { version: 2, base_price: '11.00' })
  assert.equal((await versionsOf(path)).length, 2)
})

test('a change leaves what it does not name, terms and attributes too, and a price takes the place of its short form', async () => {
  const path = await product('kept', {
    terms: { proration: 'none', trial_days: 7 },
    attributes: { size: 'large' },
    category: 'hosting',
    tax_category: 'reduced',
  })
  const price = { model: 'volume', tiers: [{ up_to: null, unit_amount: '4' }] }
  assert.partialDeepStrictEqual(await change(path, { price, terms: { trial_days: 14 } }), {
    version: 2,
    price,
    base_price: null,
    attributes: { size: 'large' },
    category: 'hosting',
    tax_category: 'reduced',
    terms: { proration: 'none', trial_days: 14 },
  })
})

test('any two versions can be compared', async () => {
  const path = await product('compared')
  for (const base of ['11.00', '12.00']) await change(path, { base_price: base })
  const { body } = await api.get(`${path}/difference?from=1&to=3`)
  assert.deepEqual(body, {
    from: 1,
    to: 3,
    differences: [{ pointer: '/base_price', from: '10.00', to: '12.00' }],
  })
  assert.equal((await api.get(`${path}/difference?from=1&to=4`)).status, 404)
})

test('what is changed to is refused like what is new, and nothing is changed', async () => {
  const path = await product('refused')
  const replies = [
    await api.patch(path, { base_price: '-1' }),
    await api.patch(path, { billing_type: 'usage' }),
    await api.patch(path, { currency: 'XXX', name: 'Other' }),
    await api.patch(path, { code: 'other' }),
  ]
  assert.deepEqual(
    replies.map(({ status, body }) => [status, (body['errors'] as Json[])[0]?.['pointer']]),
    [
      [422, '/base_price'],
      [422, '/billing_timing'],
      [422, '/currency'],
      [422, '/code'],
    ],
  )
  assert.equal((await versionsOf(path)).length, 1)
})

test('a kit has versions too: what is sold of it keeps its bill of materials', async () => {
  await product('extra')
  const path = '/v1/kits/starter'
  const bill = [part('support'), { ...part('extra'), sequence: 20 }]
  await change(path, { bill_of_materials: bill, effective_on: '2031-05-01' })
  assert.equal((await orderOn('2031-04-30', { kit: 'starter' }))['kit_version'], 1)
  assert.equal((await orderOn('2031-05-01', { kit: 'starter' }))['kit_version'], 2)
  const shown = await versionsOf(path)
  assert.deepEqual(
    shown.map((row) => [row['version'], row['subscription_count'], row['is_in_force']]),
    [
      [1, 1, true],
      [2, 1, false],
    ],
  )
  assert.deepEqual(shown[1]?.['differences'], [
    {
      pointer: '/bill_of_materials',
      from: [{ product: 'support', quantity: '1', sequence: 10 }],
      to: [
        { product: 'support', quantity: '1', sequence: 10 },
        { product: 'extra', quantity: '1', sequence: 20 },
      ],
    },
  ])
})

test('a kit that would contain itself by a change is refused', async () => {
  await make('/v1/kits', { code: 'inner', name: 'Inner', bill_of_materials: [part('support')] })
  await make('/v1/kits', {
    code: 'outer',
    name: 'Outer',
    bill_of_materials: [{ kit: 'inner', quantity: '1', sequence: 1 }],
  })
  const reply = await api.patch('/v1/kits/inner', {
    bill_of_materials: [{ kit: 'outer', quantity: '1', sequence: 1 }],
  })
  assert.deepEqual([reply.status, reply.body['code']], [422, 'kit_cycle'])
})
