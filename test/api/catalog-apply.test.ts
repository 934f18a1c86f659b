import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { createTestApi, readFile, type TestApi } from '#test/support/api.ts'

type Json = Record<string, unknown>

let api: TestApi
/** Of each application that was read, the transactions that were open meanwhile. */
const openWhileRead: number[] = []
before(async () => {
  api = await createTestApi({
    async readApplication(file) {
      const { rows } = await sql<{ open: number }>`select count(*)::int as open from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'`.execute(api.db)
      openWhileRead.push(rows[0]?.open ?? -1)
      return await readFile(file)
    },
  })
})
after(async () => api.close())

const compose = `
services:
  web:
    image: web:1
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
  base_price: '10.00',
  currency: 'USD',
}
/** Written backwards: what needs another thing comes before it. */
const catalog = {
  applications: [
    { code: 'web', compose },
    {
      code: 'monitor',
      compose: compose.replace(
        "expose: ['8069']",
        "pid: host\n    volumes: ['./site.conf:/site.conf']\n    expose: ['8069']",
      ),
      files: { 'site.conf': 'listen 80;' },
      permissions: [{ permission: 'host_pid', reason: 'It shows the processes of the server.' }],
    },
  ],
  products: [
    { ...flat, code: 'small', variant_of: 'web-site', attributes: { size: 'small' } },
    { ...flat, code: 'web-site', applications: ['web'], terms: { trial_days: 7 }, category: 'hosting' },
    { ...flat, code: 'web-site', base_price: '12.00', applications: ['web'], effective_on: '2199-01-01' },
    {
      ...flat,
      code: 'old',
      recurrence: null,
      unit: 'piece',
      archived: true,
      price: { model: 'volume', tiers: [{ up_to: null, unit_amount: '4' }] },
      base_price: undefined,
    },
  ],
  kits: [
    { code: 'outer', name: 'Outer', bill_of_materials: [{ kit: 'inner', quantity: '2', sequence: 1 }] },
    {
      code: 'inner',
      name: 'Inner',
      bill_of_materials: [{ product: 'web-site', quantity: '1', sequence: 1 }],
    },
  ],
  price_lists: [
    {
      code: 'friends',
      name: 'Friends',
      currency: 'USD',
      base_price_list: 'all',
      items: [{ discount_percent: '10' }],
    },
    {
      code: 'all',
      name: 'All',
      currency: 'USD',
      items: [
        { product: 'web-site', unit_price: '8.00' },
        { product: 'web-site', unit_price: '7.00', currency: 'EUR' },
      ],
    },
  ],
  discounts: [{ code: 'SPRING', name: 'Spring', percent: '20', scope: 'line' }],
}

async function apply(to: TestApi, body: object): Promise<Json> {
  const reply = await to.post('/v1/catalog', body)
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  return reply.body
}

test('A-47 what is read is applied to an empty installation, gives the same, and a second time changes nothing', async () => {
  const first = await apply(api, catalog)
  assert.deepEqual(
    (first['changes'] as Json[]).map(({ code, action }) => `${String(action)} ${String(code)}`),
    [
      'created web',
      'created monitor',
      'created web-site',
      'changed web-site',
      'created small',
      'created old',
      'created inner',
      'created outer',
      'created all',
      'created friends',
      'created SPRING',
    ],
  )
  const read = (await api.get('/v1/catalog')).body
  const other = await createTestApi()
  try {
    await apply(other, read)
    assert.deepEqual((await other.get('/v1/catalog')).body, read)
    const again = await apply(other, read)
    assert.deepEqual(again['changes'], [])
    assert.equal(again['unchanged_count'], 11)
  } finally {
    await other.close()
  }
})

test('no transaction is open while an application is read, which may name a metric of the same catalog', async () => {
  const metric = {
    code: 'disk-held',
    title: 'Disk',
    unit: 'GiB',
    kind: 'gauge',
    aggregation: 'max',
    level: 'volume',
    source_type: 'volume-disk',
  }
  const metered = `
services: { web: { image: 'web:1', expose: ['80'], volumes: ['data:/data'] } }
volumes: { data: {} }
x-clouder:
  title: Web
  public: { service: web, port: 80 }
  ready: { path: / }
  metrics: [{ metric: disk-held, source: { type: volume-disk, volume: data } }]
`
  const both = { metrics: [metric], applications: [{ code: 'metered', compose: metered }] }
  openWhileRead.length = 0
  await apply(api, { ...both, dry_run: true })
  const { changes } = await apply(api, both)
  assert.equal((changes as Json[]).length, 2)
  assert.deepEqual(openWhileRead, [0, 0])
  const broken = { ...both, applications: [{ code: 'broken', compose: 'services: {}' }] }
  const { status, body } = await api.post('/v1/catalog', { ...broken, products: [{ code: 'x' }] })
  const [field] = body['errors'] as Json[]
  assert.deepEqual([status, field?.['pointer']], [422, '/applications/0/compose'])
})

test('a dry run tells old and new, and changes nothing', async () => {
  const read = (await api.get('/v1/catalog')).body
  const products = (read['products'] as Json[]).map((product) =>
    product['code'] === 'small' ? { ...product, base_price: '11.00' } : product,
  )
  const told = await apply(api, { products, dry_run: true })
  assert.deepEqual(told, {
    changes: [
      {
        section: 'products',
        code: 'small',
        action: 'changed',
        differences: [{ pointer: '/base_price', from: '10.00', to: '11.00' }],
      },
    ],
    unchanged_count: 3,
    is_dry_run: true,
  })
  assert.deepEqual((await api.get('/v1/catalog')).body, read)
})

test('what a file leaves out of a product is as usual', async () => {
  await apply(api, { products: [{ ...flat, code: 'web-site', applications: ['web'] }] })
  const { body } = await api.get('/v1/products/web-site')
  assert.partialDeepStrictEqual(body, { version: 3, category: null, terms: { trial_days: 0 } })
})

test('bad input is refused whole, with the pointer of its field in the whole', async () => {
  const before = (await api.get('/v1/catalog')).body
  const bad = [
    [
      {
        products: [
          { ...flat, code: 'fine' },
          { ...flat, code: 'bad', base_price: '-1' },
        ],
      },
      'price_negative',
      '/products/1/base_price',
    ],
    [{ products: [{ ...flat, code: 'bad', currency: 'XXX' }] }, 'currency_unknown', '/products/0/currency'],
    [
      { products: [{ ...flat, code: 'bad', applications: ['none'] }] },
      'application_unknown',
      '/products/0/applications/0',
    ],
    [{ products: [{ ...flat }] }, 'field_required', '/products/0/code'],
    [
      { products: [{ ...flat, code: 'fine' }], kits: [{ code: 'bad', name: 'Bad', bill_of_materials: [] }] },
      'field_invalid',
      '/kits/0/bill_of_materials',
    ],
    [
      { price_lists: [{ code: 'all', name: 'All', currency: 'USD', items: [] }] },
      'field_invalid',
      '/price_lists/0/items',
    ],
    [
      { discounts: [{ code: 'SPRING', name: 'Spring', percent: '30', scope: 'line' }] },
      'code_taken',
      '/discounts/0/code',
    ],
  ] as const
  for (const [body, code, pointer] of bad) {
    const reply = await api.post('/v1/catalog', body)
    const [field] = reply.body['errors'] as Json[]
    assert.deepEqual([field?.['code'], field?.['pointer']], [code, pointer])
  }
  assert.deepEqual((await api.get('/v1/catalog')).body, before)
})
