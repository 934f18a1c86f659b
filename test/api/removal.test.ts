import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { countRows } from '#test/support/count-rows.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

const product = {
  name: 'Site',
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  base_price: '10.00',
  currency: 'USD',
}
const compose = `
services: { web: { image: 'web:1', expose: ['80'] } }
x-clouder: { title: Web, public: { service: web, port: 80 }, ready: { path: / } }
`
const made = async (path: string, body: object) => {
  const reply = await api.post(path, body)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body
}
const order = (lines: object[], customer = 'acme') => api.post('/v1/orders', { customer, lines })

async function assertInUse(path: string, by: string): Promise<void> {
  const rows = await countRows(api.db)
  const { status, body } = await api.delete(path)
  assert.deepEqual([status, body['code'], body['detail']], [409, 'in_use', `It is used by ${by}.`])
  assert.deepEqual(await countRows(api.db), rows)
}

async function assertGone(path: string): Promise<void> {
  assert.equal((await api.delete(path)).status, 204)
  assert.equal((await api.delete(path)).status, 404)
}

test('what nothing uses is deleted with all that it said, and its code is free again', async () => {
  const before = await countRows(api.db)
  await made('/v1/applications', { code: 'web', compose })
  const addOn = { ...product, code: 'extra', add_on_of: ['support'], stock: { quantity: 5 } }
  await made('/v1/products', { ...addOn, applications: ['web'] })
  await api.patch('/v1/products/extra', { base_price: '12.00', effective_on: '2030-01-01' })
  await made('/v1/kits', { code: 'box', name: 'Box', bill_of_materials: [{ product: 'seat', quantity: 1, sequence: 1 }] })
  await made('/v1/price-lists', { code: 'cheap', name: 'Cheap', currency: 'USD', items: [{ unit_price: '1' }] })
  const { id } = await made('/v1/discounts', { name: 'Ten', percent: '10', scope: 'line' })
  await assertInUse('/v1/applications/web', '1 product')
  await assertGone('/v1/products/extra')
  for (const path of ['applications/web', 'kits/box', 'price-lists/cheap', `discounts/${String(id)}`])
    await assertGone(`/v1/${path}`)
  const { idempotency_keys: _, ...rows } = await countRows(api.db)
  const { idempotency_keys: __, ...was } = before
  assert.deepEqual(rows, was)
}) // prettier-ignore

test('a product in use is not deleted, with the count of what uses it; archived it is not ordered, and unarchived it is', async () => {
  await made('/v1/products', { ...product, code: 'site' })
  await made('/v1/products', { ...product, code: 'site-l', variant_of: 'site' })
  for (const quantity of [1, 2]) assert.equal((await order([{ product: 'site', quantity }])).status, 201)
  await assertInUse('/v1/products/site', '2 subscriptions, 2 orders, 1 product')
  await api.post('/v1/products/site/archive', {})
  const refused = await order([{ product: 'site', quantity: 1 }])
  assert.deepEqual([refused.status, refused.body['code']], [422, 'product_archived'])
  const { body: subscriptions } = await api.get('/v1/subscriptions')
  const phases = (subscriptions['data'] as { phase: string }[]).map(({ phase }) => phase)
  assert.ok(phases.every((phase) => phase !== 'ended'))
  await assertInUse('/v1/products/site', '2 subscriptions, 2 orders, 1 product')
  const back = await api.post('/v1/products/site/unarchive', {})
  assert.equal(back.body['archived_at'], null)
  assert.equal((await order([{ product: 'site', quantity: 1 }])).status, 201)
})

test('what an option of a product sells is in use by that product', async () => {
  await made('/v1/products', { ...product, code: 'disk', unit: 'GiB' })
  const options = [{ code: 'disk', title: 'Disk', kind: 'quantity', product: 'disk' }]
  const choice = { code: 'size', title: 'Size', kind: 'choice', choices: [{ code: 'l', title: 'L', product: 'disk' }] }
  await made('/v1/products', { ...product, code: 'server', options })
  await made('/v1/products', { ...product, code: 'desktop', options: [choice] })
  await assertInUse('/v1/products/disk', '2 products')
}) // prettier-ignore

test('a kit in use is not deleted: by subscriptions, orders and kits that hold it', async () => {
  const bill_of_materials = [{ product: 'seat', quantity: 1, sequence: 1 }]
  await made('/v1/kits', { code: 'inner', name: 'Inner', bill_of_materials })
  await made('/v1/kits', {
    code: 'outer',
    name: 'Outer',
    bill_of_materials: [{ kit: 'inner', quantity: 1, sequence: 1 }],
  })
  assert.equal((await order([{ kit: 'inner' }])).status, 201)
  await assertInUse('/v1/kits/inner', '1 subscription, 1 order, 1 kit')
})

test('what builds an archived application is not ordered; unarchived it is', async () => {
  await made('/v1/applications', { code: 'shop', compose })
  await made('/v1/products', { ...product, code: 'shop', applications: ['shop'] })
  const archived = await api.post('/v1/applications/shop/archive', {})
  assert.ok(archived.body['archived_at'])
  for (const path of ['/v1/orders', '/v1/orders/preview']) {
    const { status, body } = await api.post(path, {
      customer: 'acme',
      lines: [{ product: 'shop', quantity: 1 }],
    })
    const errors = body['errors'] as { pointer: string }[]
    assert.deepEqual(
      [status, body['code'], errors[0]?.pointer],
      [422, 'product_archived', '/lines/0/product'],
    )
  }
  await api.post('/v1/applications/shop/unarchive', {})
  const preview = await api.post('/v1/orders/preview', {
    customer: 'acme',
    lines: [{ product: 'shop', quantity: 1 }],
  })
  assert.equal(preview.status, 200)
})

test('an archived price list is given to no customer, and who has it keeps its prices', async () => {
  await made('/v1/price-lists', { code: 'old', name: 'Old', currency: 'USD', items: [{ product: 'support', unit_price: '3' }] })
  await made('/v1/customers', { code: 'loyal', name: 'Loyal', price_list: 'old' })
  await assertInUse('/v1/price-lists/old', '1 customer')
  await api.post('/v1/price-lists/old/archive', {})
  const refused = await api.post('/v1/customers', { code: 'late', name: 'Late', price_list: 'old' })
  assert.deepEqual([refused.status, refused.body['code']], [422, 'price_list_unknown'])
  const based = await api.post('/v1/price-lists', { code: 'b', name: 'B', currency: 'USD', base_price_list: 'old' })
  assert.deepEqual([based.status, based.body['code']], [422, 'price_list_unknown'])
  assert.equal((await order([{ product: 'support', quantity: 1 }], 'loyal')).status, 201)
  await assertInUse('/v1/price-lists/old', '1 customer, 1 subscription')
}) // prettier-ignore

test('an item by which something was sold is withdrawn from a day on, and not deleted', async () => {
  const items = [
    { product: 'support', unit_price: '4' },
    { product: 'seat', unit_price: '5', starts_on: '2020-01-01' },
  ]
  const list = await made('/v1/price-lists', { code: 'items', name: 'Items', currency: 'USD', items })
  const [sold, unsold] = (list['items'] as { id: string }[]).map(({ id }) => `/v1/price-lists/items/items/${id}`)
  await made('/v1/customers', { code: 'buyer', name: 'Buyer', price_list: 'items' })
  const total = async () => {
    const { body } = await api.post('/v1/orders/preview', { customer: 'buyer', lines: [{ product: 'support', quantity: 1 }] })
    return (body['total_per_period'] as { amount_minor: number }).amount_minor
  }
  assert.equal(await total(), 400)
  assert.equal((await order([{ product: 'support', quantity: 1 }], 'buyer')).status, 201)
  await assertInUse(`${sold}`, '1 subscription')
  await assertGone(`${unsold}`)
  const withdrawn = await api.post(`${sold}/withdraw`, { on: '2020-06-01' })
  assert.equal(withdrawn.status, 200, JSON.stringify(withdrawn.body))
  const [left] = withdrawn.body['items'] as { ends_on: string }[]
  assert.equal(left?.ends_on, '2020-06-01')
  assert.equal(await total(), 1000)
  const again = await api.post(`${sold}/withdraw`, { on: '2020-07-01' })
  assert.deepEqual([again.status, again.body['code']], [422, 'date_range_invalid'])
  const elsewhere = await api.delete(`${sold}`.replace('/items/items/', '/old/items/'))
  assert.equal(elsewhere.status, 404)
}) // prettier-ignore

test('a discount in use is not deleted', async () => {
  const { id } = await made('/v1/discounts', { name: 'Five', percent: '5', scope: 'line' })
  await api.post('/v1/customers/acme/discounts', { discount: id })
  await assertInUse(`/v1/discounts/${String(id)}`, '1 customer')
})
