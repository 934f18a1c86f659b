import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'

type Json = Record<string, unknown>

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await made(api.post('/v1/applications', { code: 'shop', compose }))
  await made(
    api.post('/v1/products', { ...monthly, code: 'disk', name: 'Disk', unit: 'GiB', base_price: '0.10' }),
  )
  await made(
    api.post('/v1/products', {
      ...monthly,
      code: 'mirror',
      name: 'Mirror',
      base_price: '7',
      is_hidden: true,
    }),
  )
  await made(api.post('/v1/products', shop))
})
after(async () => api.close())

const compose = `
services:
  web:
    image: shop:1
    expose: ['80']
    environment: { DISK_GIB: '\${DISK_GIB:-10}', SHOP_NAME: '\${SHOP_NAME:-Shop}', ADMIN: 'admin:\${ADMIN_PASSWORD}' }
x-clouder:
  title: Shop
  public: { service: web, port: 80 }
`
const monthly = {
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  currency: 'USD',
}
const shop = {
  ...monthly,
  code: 'shop',
  name: 'Shop',
  base_price: '10.00',
  applications: ['shop'],
  options: [
    {
      code: 'disk',
      title: 'Disk',
      kind: 'quantity',
      product: 'disk',
      variable: 'DISK_GIB',
      least: '5',
      greatest: '500',
    },
    {
      code: 'copies',
      title: 'Copies',
      kind: 'choice',
      choices: [
        { code: 'none', title: 'None' },
        { code: 'second', title: 'A second one', product: 'mirror' },
      ],
    },
    { code: 'help', title: 'Help', kind: 'yes_no', product: 'support' },
  ],
  order_fields: [
    {
      code: 'name',
      title: 'Name of the shop',
      kind: 'text',
      is_required: true,
      variable: 'SHOP_NAME',
      pattern: '[A-Za-z $]+',
    },
    { code: 'password', title: 'Password', kind: 'secret', variable: 'ADMIN_PASSWORD' },
    { code: 'floor', title: 'Floor', kind: 'number', least: '-2', greatest: '40' },
  ],
}

async function made(reply: Promise<Reply>): Promise<Json> {
  const { status, body } = await reply
  assert.equal(status, 201, JSON.stringify(body))
  return body
}

function order(line: Json, rest: Json = {}) {
  return { customer: 'acme', lines: [{ product: 'shop', ...line }], ...rest }
}

async function refusal(body: Json): Promise<unknown[]> {
  const reply = await api.post('/v1/orders/preview', body)
  const errors = reply.body['errors'] as { pointer: string; code: string }[] | undefined
  return [reply.body['code'], errors?.[0]?.pointer]
}

const linesOf = (body: Json) =>
  (body['subscriptions'] as Json[]).map((subscription) =>
    (subscription['lines'] as Json[]).map(({ product, quantity, amount }) => [
      product,
      quantity,
      (amount as { amount_minor: number }).amount_minor,
    ]),
  )

test('options that are chosen are lines of the subscription: 50 GiB of disk add 5.00', async () => {
  const line = { options: { disk: 50, copies: 'second', help: true }, fields: { name: 'Harbour' } }
  const { body } = await api.post('/v1/orders/preview', order(line))
  assert.deepEqual(linesOf(body), [
    [
      ['shop', '1', 1000],
      ['disk', '50', 500],
      ['mirror', '1', 700],
      ['support', '1', 1000],
    ],
  ])
  assert.deepEqual((body['subscriptions'] as Json[])[0]?.['variables'], {
    DISK_GIB: '50',
    SHOP_NAME: 'Harbour',
  })
  assert.deepEqual(
    linesOf((await api.post('/v1/orders/preview', order({ fields: { name: 'Harbour' } }))).body),
    [[['shop', '1', 1000]]],
  )
})

test('an answer that is missing, or does not fit, is refused with its pointer', async () => {
  const fields = { name: 'Harbour' }
  for (const [line, code, pointer] of [
    [{}, 'field_required', '/lines/0/fields/name'],
    [{ fields: { name: '1' } }, 'field_invalid', '/lines/0/fields/name'],
    [{ fields: { ...fields, floor: 41 } }, 'field_invalid', '/lines/0/fields/floor'],
    [{ fields: { ...fields, colour: 'red' } }, 'field_invalid', '/lines/0/fields/colour'],
    [{ fields, options: { disk: 4 } }, 'field_invalid', '/lines/0/options/disk'],
    [{ fields, options: { disk: 'much' } }, 'quantity_invalid', '/lines/0/options/disk'],
    [{ fields, options: { copies: 'third' } }, 'field_invalid', '/lines/0/options/copies'],
    [{ fields, options: { help: 'perhaps' } }, 'field_invalid', '/lines/0/options/help'],
  ] as const) {
    assert.deepEqual(await refusal(order(line)), [code, pointer])
  }
})

test('what is said in secret is sealed: no answer of ours shows it, and no row holds it as it is', async () => {
  const line = { fields: { name: 'Harbour', password: 'correct horse battery' } }
  const ordered = await made(api.post('/v1/orders', order(line)))
  assert.deepEqual((ordered['lines'] as Json[])[0]?.['fields'], { name: 'Harbour' })
  const draft = await made(api.post('/v1/orders/drafts', order(line, { expires_on: '2999-01-01' })))
  const kept = await api.db.selectFrom('order_secrets').selectAll().execute()
  assert.deepEqual(
    kept.map(({ field }) => field),
    ['password'],
  )
  assert.ok(!kept[0]?.sealed.includes('horse'))
  const confirmed = await api.post(`/v1/orders/${String(draft['id'])}/confirm`, {})
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body))
  assert.deepEqual(await api.db.selectFrom('order_secrets').selectAll().execute(), [])
  const sealed = await api.db.selectFrom('secrets').selectAll().execute()
  assert.deepEqual(
    sealed.map(({ name }) => name),
    ['ADMIN_PASSWORD', 'ADMIN_PASSWORD'],
  )
  const instances = await api.db.selectFrom('instances').select('variables').execute()
  assert.deepEqual(instances[0]?.variables, { SHOP_NAME: 'Harbour', ADMIN_PASSWORD: null })
})

test('a product says what it asks, and at which price', async () => {
  const { body } = await api.get('/v1/products/shop')
  const [disk, copies] = body['options'] as Json[]
  assert.deepEqual([disk?.['product'], disk?.['price_sentence']], ['disk', '0.10 USD per GiB a month'])
  assert.equal((copies?.['choices'] as Json[] | undefined)?.[1]?.['price_sentence'], '7.00 USD a month')
})

test('what could not be answered or told is refused with the pointer of its field', async () => {
  const [disk] = shop.options
  const [name] = shop.order_fields
  for (const [offer, code, pointer] of [
    [{ options: [disk, disk] }, 'code_taken', '/options/1/code'],
    [{ options: [{ ...disk, variable: 'NO_SUCH' }] }, 'field_invalid', '/options/0/variable'],
    [{ options: [{ ...disk, product: 'no-such' }] }, 'product_unknown', '/options/0/product'],
    [{ options: [{ ...disk, greatest: '4' }] }, 'field_invalid', '/options/0/greatest'],
    [{ options: [{ code: 'a', title: 'A', kind: 'choice' }] }, 'field_required', '/options/0/choices'],
    [{ order_fields: [{ ...name, pattern: '(' }] }, 'field_invalid', '/order_fields/0/pattern'],
    [
      { order_fields: [{ code: 'a', title: 'A', kind: 'secret' }] },
      'field_required',
      '/order_fields/0/variable',
    ],
    [{ add_on_of: ['no-such'] }, 'product_unknown', '/add_on_of/0'],
  ] as const) {
    const { options: _options, order_fields: _fields, ...plain } = shop
    const reply = await api.post('/v1/products', { ...plain, code: 'bad', ...offer })
    const [error] = (reply.body['errors'] ?? []) as { pointer: string }[]
    assert.deepEqual([reply.body['code'], error?.pointer], [code, pointer])
  }
})

test('a hidden product is sold by staff and API, as a part of others, and not in the shop', async () => {
  const inShop = { customer: 'acme', lines: [{ product: 'mirror' }], channel: 'shop' }
  assert.deepEqual(await refusal(inShop), ['product_hidden', '/lines/0/product'])
  assert.equal((await api.post('/v1/orders/preview', { ...inShop, channel: 'api' })).status, 200)
  const codes = async (query: string) =>
    ((await api.get(`/v1/products${query}`)).body['data'] as Json[]).map(({ code }) => code)
  assert.equal((await codes('?channel=shop')).includes('mirror'), false)
  assert.equal((await codes('')).includes('mirror'), true)
  const line = { fields: { name: 'Harbour' }, options: { copies: 'second' } }
  assert.equal((await api.post('/v1/orders/preview', order(line, { channel: 'shop' }))).status, 200)
})

test('a free product of a category is ordered in the shop, without a payment', async () => {
  await made(
    api.post('/v1/products', {
      ...monthly,
      code: 'free',
      name: 'Free',
      base_price: '0.00',
      category: 'gifts',
    }),
  )
  const ordered = await made(
    api.post('/v1/orders', { customer: 'acme', lines: [{ product: 'free' }], channel: 'shop' }),
  )
  assert.equal(ordered['state'], 'confirmed')
  const { body } = await api.get('/v1/products?category=gifts')
  assert.deepEqual(
    (body['data'] as Json[]).map(({ code }) => code),
    ['free'],
  )
})

test('stock and a limit are said of a product, and told when it is asked for', async () => {
  const stock = { quantity: 2, limit_per_customer: 1 }
  const product = await made(
    api.post('/v1/products', { ...monthly, code: 'ticket', name: 'Ticket', base_price: '1', stock }),
  )
  assert.deepEqual(product['stock'], {
    quantity: '2',
    taken_quantity: '0',
    limit_per_customer: '1',
    is_returned: true,
  })
  const lines = [{ product: 'ticket' }]
  await made(api.post('/v1/orders', { customer: 'acme', lines }))
  assert.deepEqual(await refusal({ customer: 'acme', lines }), [
    'customer_limit_reached',
    '/lines/0/quantity',
  ])
  await api.patch('/v1/products/ticket/stock', { limit_per_customer: null })
  await made(api.post('/v1/orders', { customer: 'acme', lines }))
  assert.deepEqual(await refusal({ customer: 'acme', lines }), ['out_of_stock', '/lines/0/quantity'])
  const lower = await api.patch('/v1/products/ticket/stock', { quantity: 1 })
  assert.deepEqual([lower.status, lower.body['code']], [422, 'field_invalid'])
})
