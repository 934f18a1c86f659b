import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { readApplication } from '#docker/applications.ts'
import { sql } from 'kysely'
import { createTestApi, readFile, type TestApi } from '#test/support/api.ts'

let api: TestApi
/** When a file was read last. */
let openWhileRead: number | undefined

async function countOpenTransactions(): Promise<number> {
  const { rows } = await sql`
    select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`.execute(
    api.db,
  )
  return rows.length
}

before(async () => {
  api = await createTestApi({
    readApplication: async (file) => {
      openWhileRead = await countOpenTransactions()
      return await readFile(file)
    },
  })
})
after(async () => api.close())

const compose = (image: string) => `
services:
  web:
    image: ${image}
    expose: ['8069']
x-clouder:
  title: Web
  public: { service: web, port: 8069 }
  ready: { path: / }
`
const flat = {
  name: 'Flat',
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  base_price: '0.0000012345',
  currency: 'USD',
}

suite('permissions', () => {
  const monitor = compose('monitor:1').replace(
    "expose: ['8069']",
    "expose: ['8069']\n    pid: host\n    volumes: ['./site.conf:/site.conf']",
  )
  const files = { 'site.conf': 'listen 80;' }
  const granted = { permission: 'host_pid', reason: 'It shows the processes of the server.' }

  test('an application that asks for rights is refused with their names, and taken once they are granted, with the reason', async () => {
    const refused = await api.post('/v1/applications', { code: 'monitor', compose: monitor, files })
    assert.deepEqual([refused.status, refused.body['code']], [422, 'application_refused'])
    assert.match(
      JSON.stringify(refused.body),
      /services\.web\.pid \(line 6\).*grant host_pid to this application/,
    )
    const made = await api.post('/v1/applications', {
      code: 'monitor',
      compose: monitor,
      files,
      permissions: [granted],
    })
    assert.deepEqual([made.status, made.body['permissions'], made.body['version']], [201, ['host_pid'], 1])
    const kept = await api.db.selectFrom('application_permissions').selectAll().execute()
    assert.deepEqual(
      kept.map((row) => [row.permission, row.reason]),
      [[granted.permission, granted.reason]],
    )
  })

  test('what was granted holds for the next version, and other files beside it are another version', async () => {
    const again = await api.post('/v1/applications', { code: 'monitor', compose: monitor, files })
    assert.deepEqual([again.status, again.body['version']], [201, 1])
    const changed = await api.post('/v1/applications', {
      code: 'monitor',
      compose: monitor,
      files: { 'site.conf': 'listen 81;' },
    })
    assert.deepEqual(
      [changed.status, changed.body['version'], changed.body['permissions']],
      [201, 2, ['host_pid']],
    )
  })

  test('another application has nothing of it', async () => {
    const other = await api.post('/v1/applications', { code: 'spy', compose: monitor, files })
    assert.equal(other.body['code'], 'application_refused')
  })
})

suite('201', () => {
  test('a product keeps its price to the last decimal and is found by code and id', async () => {
    const made = await api.post('/v1/products', { ...flat, code: 'flat' })
    assert.equal(made.status, 201)
    assert.equal(made.body['base_price'], '0.0000012345')
    const location = made.headers.get('location') ?? ''
    assert.deepEqual((await api.get(location)).body, made.body)
    assert.deepEqual((await api.get('/v1/products/flat')).body, made.body)
  })

  test('a variant names the attribute that says how much one of it sells', async () => {
    const fiveUsers = {
      ...flat,
      code: 'five-users',
      billing_type: 'threshold',
      unit: 'user',
      attributes: { users: '5' },
      quantity_attribute: 'users',
    }
    const { status, body } = await api.post('/v1/products', fiveUsers)
    assert.deepEqual([status, body['quantity_attribute']], [201, 'users'])
    const wrong = { ...fiveUsers, code: 'some-users', attributes: { users: 'some' } }
    const refused = await api.post('/v1/products', wrong)
    assert.deepEqual([refused.status, refused.body['code']], [422, 'quantity_invalid'])
  })

  test('a kit holds products and kits in sequence', async () => {
    await api.post('/v1/kits', {
      code: 'inner',
      name: 'Inner',
      bill_of_materials: [{ product: 'flat', quantity: 2, sequence: 1 }],
    })
    const { status, body } = await api.post('/v1/kits', {
      code: 'outer',
      name: 'Outer',
      bill_of_materials: [
        { kit: 'inner', quantity: '1', sequence: 20 },
        { product: 'flat', quantity: '3', sequence: 10 },
      ],
    })
    assert.equal(status, 201)
    assert.deepEqual(body['bill_of_materials'], [
      { product: 'flat', kit: null, quantity: '3', sequence: 10 },
      { product: null, kit: 'inner', quantity: '1', sequence: 20 },
    ])
  })

  test('a customer takes the currency of its price list', async () => {
    await api.post('/v1/price-lists', {
      code: 'euro',
      name: 'Euro',
      currency: 'EUR',
      items: [{ product: 'flat', unit_price: '7.25', minimum_quantity: '10', starts_on: '2026-07-01' }],
    })
    const { status, body } = await api.post('/v1/customers', {
      code: 'beta',
      name: 'Beta',
      price_list: 'euro',
    })
    assert.equal(status, 201)
    assert.deepEqual([body['currency'], body['price_list'], body['time_zone']], ['EUR', 'euro', 'UTC'])
    const list = await api.get('/v1/price-lists/euro')
    const [item] = list.body['items'] as { id: string }[]
    assert.match(item?.id ?? '', /^pli_/)
    assert.deepEqual(list.body['items'], [
      {
        id: item?.id,
        product: 'flat',
        attribute: null,
        category: null,
        customer: null,
        minimum_quantity: '10',
        currency: 'EUR',
        unit_price: '7.25',
        price: { model: 'per_unit', unit_amount: '7.25' },
        price_sentence: '7.25 EUR per month',
        discount_percent: null,
        formula: null,
        starts_on: '2026-07-01',
        ends_on: null,
        season: null,
      },
    ])
  })

  test('a price of several tiers is answered as it was sent, with its sentence, and has no base price', async () => {
    const price = {
      model: 'graduated',
      tiers: [
        { up_to: '10', unit_amount: '5.00', flat_amount: '1' },
        { up_to: null, unit_amount: '4.00' },
      ],
      least_amount: '20',
    }
    const { base_price: _, ...product } = flat
    const { status, body } = await api.post('/v1/products', { ...product, code: 'tiered', price })
    assert.equal(status, 201, JSON.stringify(body))
    assert.deepEqual([body['base_price'], body['price']], [null, price])
    assert.match(
      String(body['price_sentence']),
      /^up to 10 months 5\.00 USD per month .* at least 20\.00 USD; every month$/,
    )
  })

  test('terms that are left out are as usual, and all of them are answered', async () => {
    const terms = { proration: 'month_30', trial_days: 15, period_count: 3, alignment: 'calendar' }
    const { body } = await api.post('/v1/products', { ...flat, code: 'by-calendar', terms })
    assert.deepEqual(body['terms'], {
      ...terms,
      upgrade: 'now',
      downgrade: 'period_end',
      upgrade_mode: 'automatic',
      unused_time: 'credit',
      pricing: 'frozen',
      is_never_revised: false,
      trial_end: 'bill',
      is_trial_once: false,
      warning_shares: [80, 100],
      quantity_formula: null,
      is_zero_shown: true,
      usage_filter: [],
      build_trigger: null,
      enforcement: 'hard',
    })
  })

  test('a variant names its product, and keeps its attributes and categories', async () => {
    const variant = {
      variant_of: 'flat',
      attributes: { size: 'large' },
      category: 'hosting',
      tax_category: 'reduced',
    }
    const { body } = await api.post('/v1/products', { ...flat, code: 'flat-large', ...variant })
    for (const [name, value] of Object.entries(variant)) assert.deepEqual(body[name], value)
  })

  test('the more specific item of a price list decides what an order costs', async () => {
    const items = [
      { discount_percent: '10' },
      { category: 'hosting', unit_price: '8.50' },
      { attribute: { name: 'size', value: 'large' }, unit_price: '8.25' },
      { product: 'flat', unit_price: '8.00' },
      { product: 'flat-large', unit_price: '7.00' },
      { customer: 'delta', unit_price: '6.00' },
    ]
    await api.post('/v1/price-lists', { code: 'scopes', name: 'Scopes', currency: 'USD' })
    for (const code of ['gamma', 'delta']) {
      await api.post('/v1/customers', { code, name: code, price_list: 'scopes' })
    }
    const priceFor = async (customer: string) => {
      const lines = [{ product: 'flat-large', quantity: 1 }]
      const { body } = await api.post('/v1/orders/preview', { customer, lines })
      const [subscription] = body['subscriptions'] as { lines: { unit_price: string }[] }[]
      return subscription?.lines[0]?.unit_price
    }
    const seen: (string | undefined)[] = []
    for (const item of items) {
      const { status } = await api.post('/v1/price-lists/scopes/items', { items: [item] })
      assert.equal(status, 201)
      seen.push(await priceFor('gamma'))
    }
    assert.deepEqual(seen, ['0.00000111105', '8.50', '8.25', '8.00', '7.00', '7.00'])
    assert.equal(await priceFor('delta'), '6.00')
  })

  test('a formula is of the list that the price list is based on', async () => {
    const formula = { discount_percent: '15', surcharge: '0.30', step: '0.05' }
    const list = { name: 'List', currency: 'USD' }
    await api.post('/v1/price-lists', {
      ...list,
      code: 'standard',
      items: [{ product: 'flat', unit_price: '10.00' }],
    })
    await api.post('/v1/price-lists', {
      ...list,
      code: 'partner',
      base_price_list: 'standard',
      items: [{ formula }],
    })
    await api.post('/v1/customers', { code: 'partner', name: 'Partner', price_list: 'partner' })
    const lines = [{ product: 'flat', quantity: 3 }]
    const { body } = await api.post('/v1/orders/preview', { customer: 'partner', lines })
    assert.deepEqual(body['total_per_period'], { amount_minor: 2640, currency: 'USD' })
  })

  test('an archived product is sold no more, what was sold of it goes on, and a kit is archived likewise', async () => {
    await api.post('/v1/products', { ...flat, code: 'leaving' })
    await api.post('/v1/customers', { code: 'loyal', name: 'Loyal' })
    const order = { customer: 'loyal', lines: [{ product: 'leaving' }] }
    const { body: sold } = await api.post('/v1/orders', order)
    const [first, again] = [
      await api.post('/v1/products/leaving/archive', {}),
      await api.post('/v1/products/leaving/archive', {}),
    ]
    assert.notEqual(first.body['archived_at'], null)
    assert.deepEqual(again.body, first.body)
    assert.equal((await api.post('/v1/orders', order)).body['code'], 'product_archived')
    const [subscription] = sold['subscriptions'] as { id: string }[]
    assert.equal((await api.get(`/v1/subscriptions/${subscription?.id}`)).body['phase'], 'ordered')
    await api.post('/v1/kits/outer/archive', {})
    const kit = await api.post('/v1/orders', { customer: 'loyal', lines: [{ kit: 'outer' }] })
    assert.equal(kit.body['code'], 'product_archived')
  })

  test('the same application again is the same version, a changed one the next', async () => {
    const save = async (image: string) => {
      const { status, body } = await api.post('/v1/applications', { code: 'web', compose: compose(image) })
      assert.equal(status, 201, JSON.stringify(body))
      return body['version']
    }
    assert.deepEqual([await save('web:1'), await save('web:1'), await save('web:2')], [1, 1, 2])
    assert.equal((await api.get('/v1/applications/web')).body['version'], 2)
  })
})

suite('4xx', () => {
  test('an application that asks for a right on the server is refused with what it asked for', async () => {
    const text = compose('web:1').replace('    image', '    privileged: true\n    image')
    const { status, body } = await api.post('/v1/applications', { code: 'bad', compose: text })
    assert.deepEqual([status, body['code']], [422, 'application_refused'])
    assert.match(String(body['detail']), /privileged/)
    assert.equal((await api.get('/v1/applications/bad')).status, 404)
  })

  test('kits six deep are too deep', async () => {
    const kit = (code: string, part: object) =>
      api.post('/v1/kits', { code, name: code, bill_of_materials: [{ ...part, quantity: 1, sequence: 1 }] })
    await kit('deep-1', { product: 'flat' })
    for (const level of [2, 3, 4, 5]) {
      assert.equal((await kit(`deep-${level}`, { kit: `deep-${level - 1}` })).status, 201)
    }
    const { status, body } = await kit('deep-6', { kit: 'deep-5' })
    assert.deepEqual([status, body['code']], [422, 'kit_too_deep'])
  })

  test('no transaction is open while an application is read, however long that takes', async () => {
    openWhileRead = undefined
    const saved = await api.post('/v1/applications', { code: 'read-outside', compose: compose('web:9') })
    assert.deepEqual([saved.status, openWhileRead], [201, 0])
  })

  test('a product cannot set a limit or bill a metric that its application does not declare', async () => {
    const definition = await readApplication('applications', 'odoo-stand-in')
    assert.ok(definition.limits.length > 0 && definition.metrics.length > 0)
    await api.post('/v1/applications', { code: 'plain', compose: compose('web:3') })
    const product = { ...flat, code: 'x', applications: ['plain'] }
    const limit = await api.post('/v1/products', { ...product, billing_type: 'threshold', limit: 'users' })
    const metric = await api.post('/v1/products', {
      ...product,
      billing_type: 'usage',
      billing_timing: 'arrears',
      metric: 'network',
    })
    assert.deepEqual([limit.status, limit.body['code']], [422, 'limit_unknown'])
    assert.deepEqual([metric.status, metric.body['code']], [422, 'metric_unknown'])
  })

  test('of two customers with one code at once, one is made', async () => {
    const tries = await Promise.all(
      [1, 2, 3].map(async () => api.post('/v1/customers', { code: 'twin', name: 'Twin' })),
    )
    assert.deepEqual(
      tries.map((reply) => reply.status).toSorted((a, b) => a - b),
      [201, 409, 409],
    )
  })
})
