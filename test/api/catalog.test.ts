import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { readApplication } from '#docker/applications.ts'
import { parseApplication } from '#docker/compose.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi({
    readApplication: (compose, code) => parseApplication({ code, text: compose, folders: {} }),
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

suite('201', () => {
  test('a product keeps its price to the last decimal and is found by code and id', async () => {
    const made = await api.post('/v1/products', { ...flat, code: 'flat' })
    assert.equal(made.status, 201)
    assert.equal(made.body['base_price'], '0.0000012345')
    const location = made.headers.get('location') ?? ''
    assert.deepEqual((await api.get(location)).body, made.body)
    assert.deepEqual((await api.get('/v1/products/flat')).body, made.body)
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
    assert.deepEqual(list.body['items'], [
      {
        product: 'flat',
        minimum_quantity: '10',
        unit_price: '7.25',
        discount_percent: null,
        starts_on: '2026-07-01',
        ends_on: null,
      },
    ])
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
