import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

// A seller in Germany at 20 percent, who sells by the month, by the year, once and by what is used.

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const product = { billing_type: 'flat', billing_timing: 'advance', unit: 'piece', currency: 'USD' }
  const year = { count: 1, unit: 'year' }
  await api.post('/v1/products', {
    ...product,
    code: 'domain',
    name: 'Domain',
    recurrence: year,
    base_price: '96',
  })
  await api.post('/v1/products', {
    ...product,
    code: 'calls',
    name: 'Calls',
    billing_type: 'usage',
    billing_timing: 'arrears',
    unit: 'request',
    recurrence: { count: 1, unit: 'day' },
    base_price: '0.02',
    metric: 'calls',
  })
  await api.post('/v1/discounts', { name: 'Tenth', code: 'TENTH', percent: '10', scope: 'document' })
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE1' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '20' })
})
after(async () => api.close())

const lines = [{ product: 'setup' }, { product: 'support' }, { product: 'domain' }, { product: 'calls' }]

function sums(total: unknown): number[] {
  const { net, tax, total: gross } = total as Record<string, { amount_minor: number }>
  return [net, tax, gross].map((money) => money?.amount_minor ?? NaN)
}

function recurring(body: Record<string, unknown>): unknown[] {
  return (body['recurring'] as { interval: unknown }[]).map((total) => [total.interval, ...sums(total)])
}

test('a preview says what is due with its tax, and keeps what is paid by the month apart from what is paid by the year', async () => {
  const { status, body } = await api.post('/v1/orders/preview', { customer: 'acme', lines })
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual(sums(body['due_now']), [11600, 2320, 13920])
  assert.deepEqual(recurring(body), [
    [{ count: 1, unit: 'month' }, 1000, 200, 1200],
    [{ count: 12, unit: 'month' }, 9600, 1920, 11520],
  ])
})

test('tax is of what the discount leaves, and prices that include tax hold it', async () => {
  const order = { customer: 'acme', lines, discount_code: 'TENTH' }
  const { body } = await api.post('/v1/orders/preview', order)
  assert.deepEqual(sums(body['due_now']), [10440, 2088, 12528])
  await api.patch('/v1/seller', { prices_include_tax: true })
  const { body: inclusive } = await api.post('/v1/orders/preview', order)
  assert.deepEqual(sums(inclusive['due_now']), [8700, 1740, 10440])
  await api.patch('/v1/seller', { prices_include_tax: false })
})

test('where the rate of a category is missing, nothing is guessed', async () => {
  const book = { code: 'book', name: 'Book', tax_category: 'books', unit: 'piece' }
  const made = await api.post('/v1/products', {
    ...book,
    billing_type: 'flat',
    billing_timing: 'advance',
    base_price: '5',
    currency: 'USD',
    recurrence: null,
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { status, body } = await api.post('/v1/orders/preview', {
    customer: 'acme',
    lines: [{ product: 'book' }],
  })
  assert.deepEqual([status, body['code']], [422, 'tax_rate_missing'])
})
