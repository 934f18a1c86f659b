import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { activate } from '#test/support/seller.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const list = { name: 'List', currency: 'USD' }
  await created('/v1/price-lists', { ...list, code: 'plain' })
  await created('/v1/price-lists', { ...list, code: 'converting', allows_conversion: true })
  const items = [
    { product: 'support', unit_price: '7.77', currency: 'EUR' },
    { discount_percent: '10' },
    { product: 'seat', unit_price: '4.00' },
  ]
  await created('/v1/price-lists', { ...list, code: 'mixed', allows_conversion: true, items })
  await created('/v1/customers', { code: 'anna', name: 'A', currency: 'USD', price_list: 'converting' })
  await created('/v1/customers', { code: 'berta', name: 'B', currency: 'EUR', price_list: 'converting' })
  await created('/v1/customers', { code: 'carla', name: 'C', currency: 'EUR', price_list: 'mixed' })
})
after(async () => api.close())

async function created(path: string, body: object): Promise<void> {
  const reply = await api.post(path, body)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
}

interface Line {
  readonly unit_price: string
  readonly conversion: object | null
}

async function preview(customer: string, product: string): Promise<Line | undefined> {
  const { body } = await api.post('/v1/orders/preview', { customer, lines: [{ product }] })
  return (body['subscriptions'] as { lines: Line[] }[])[0]?.lines[0]
}

test('a list that allows no conversion has only customers of its currencies', async () => {
  const customer = { code: 'dora', name: 'D', currency: 'EUR', price_list: 'plain' }
  const { status, body } = await api.post('/v1/customers', customer)
  assert.deepEqual([status, body['code']], [422, 'currency_mismatch'])
})

test('no price and no rate is price_missing_in_currency, and nothing is ordered', async () => {
  const { status, body } = await api.post('/v1/orders', {
    customer: 'berta',
    lines: [{ product: 'support' }],
  })
  assert.deepEqual([status, body['code']], [422, 'price_missing_in_currency'])
  assert.deepEqual((await api.get('/v1/orders?customer=berta')).body['data'], [])
})

test('with a rate, customers see their own prices, and how they were converted', async () => {
  const rate = { base: 'EUR', quote: 'USD', rate: '1.25', source: 'ECB', valid_on: '2026-01-02' }
  await created('/v1/exchange-rates', rate)
  const [anna, berta] = [await preview('anna', 'support'), await preview('berta', 'support')]
  assert.deepEqual([anna?.unit_price, anna?.conversion], ['10.00', null])
  assert.deepEqual([berta?.unit_price, berta?.conversion], ['8', rate])
})

test('a price given in the currency wins over conversion, and a percentage is off the converted price', async () => {
  const own = await preview('carla', 'support')
  assert.deepEqual([own?.unit_price, own?.conversion], ['7.77', null])
  assert.equal((await preview('carla', 'seat'))?.unit_price, '3.2')
  const setup = await preview('carla', 'setup')
  const { body } = await api.get('/v1/products/setup')
  assert.equal(Number(setup?.unit_price), (Number(body['base_price']) / 1.25) * 0.9)
})

test('the line keeps the rate that it was agreed at, whatever rate comes, and its invoice says it', async () => {
  const { body } = await api.post('/v1/orders', { customer: 'berta', lines: [{ product: 'support' }] })
  const { id: publicId = '' } = (body['subscriptions'] as { id: string }[])[0] ?? {}
  const later = { base: 'EUR', quote: 'USD', rate: '2', source: 'ECB', valid_on: '2026-02-01' }
  await created('/v1/exchange-rates', later)
  await activate(api.db, decodeId('subscription', publicId), new Date().toISOString())
  const conversion = { base: 'EUR', quote: 'USD', rate: '1.25', source: 'ECB', valid_on: '2026-01-02' }
  const { body: sold } = await api.get(`/v1/subscriptions/${publicId}`)
  assert.partialDeepStrictEqual(sold, { lines: [{ unit_price: '8', conversion }] })
  const { body: invoices } = await api.get('/v1/invoices?customer=berta')
  const [invoice] = invoices['data'] as { id: string }[]
  assert.partialDeepStrictEqual((await api.get(`/v1/invoices/${invoice?.id}`)).body, {
    lines: [
      {
        amount: { amount_minor: 800, currency: 'EUR' },
        explanation: { price: { unit_amount: '8' }, conversion },
      },
    ],
  })
})
