import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { changePrice } from '#test/support/product-version.ts'
import { activate } from '#test/support/seller.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

interface Change {
  readonly product: string
  readonly before: { price_sentence: string; amount: { amount_minor: number } } | null
  readonly now: { price_sentence: string; amount: { amount_minor: number } } | null
}

async function place(lines: object[]) {
  const { status, body } = await api.post('/v1/orders', { customer: 'acme', lines })
  assert.equal(status, 201, JSON.stringify(body))
  const [subscription] = body['subscriptions'] as { id: string }[]
  return { id: String(body['id']), subscriptionId: subscription?.id ?? '' }
}

async function placeAgain(id: string) {
  const { status, body } = await api.post(`/v1/orders/${id}/place-again`, {})
  assert.equal(status, 201, JSON.stringify(body))
  return { order: body['order'] as Record<string, unknown>, changes: body['changes'] as Change[] }
}

test('an order shows its lines at the prices as agreed, invoices, payments and its timeline', async () => {
  const { id, subscriptionId } = await place([{ product: 'support', quantity: 2 }, { product: 'setup' }])
  const now = new Date().toISOString()
  await activate(api.db, decodeId('subscription', subscriptionId), now)
  const shown = await api.get(`/v1/orders/${id}`)
  const [invoice] = shown.body['invoices'] as { id: string; total: { amount_minor: number } }[]
  assert.equal(invoice?.total.amount_minor, 3000)
  await api.post(`/v1/invoices/${invoice.id}/payments`, { amount_minor: 3000, reference: 'wire' })
  await changePrice(api.db, 'support', { unitAmount: '99', effectiveOn: '2020-01-01' })
  const { body } = await api.get(`/v1/orders/${id}`)
  assert.partialDeepStrictEqual(body['agreed_lines'], [
    { product: 'support', quantity: '2', unit_price: '10.00', subscription: subscriptionId },
    { product: 'setup', unit_price: '10.00' },
  ])
  assert.partialDeepStrictEqual(body['payments'], [
    { invoice: invoice.id, amount: { amount_minor: 3000, currency: 'USD' }, reference: 'wire' },
  ])
  const kinds = (body['events'] as { kind: string }[]).map(({ kind }) => kind)
  for (const kind of ['subscription.activated', 'order.confirmed']) assert.ok(kinds.includes(kind), kind)
  assert.ok(kinds.indexOf('subscription.activated') < kinds.indexOf('order.confirmed'))
  await changePrice(api.db, 'support', { unitAmount: '10.00', effectiveOn: '2020-01-01' })
})

test('placed again it is a draft at the prices of today, which says what changed', async () => {
  const { id } = await place([
    { product: 'support', quantity: 2 },
    { product: 'seat', quantity: 3 },
  ])
  assert.deepEqual((await placeAgain(id)).changes, [])
  await changePrice(api.db, 'support', { unitAmount: '12', effectiveOn: '2020-01-01' })
  const { order, changes } = await placeAgain(id)
  assert.partialDeepStrictEqual(order, {
    state: 'draft',
    quoted: { total_per_period: { amount_minor: 5400 } },
    subscriptions: [],
  })
  assert.deepEqual(
    changes.map(({ product, before, now }) => [
      product,
      before?.amount.amount_minor,
      now?.amount.amount_minor,
    ]),
    [['support', 2000, 2400]],
  )
  const sold = await api.post(`/v1/orders/${String(order['id'])}/confirm`, {})
  assert.equal(sold.status, 200, JSON.stringify(sold.body))
  await changePrice(api.db, 'support', { unitAmount: '10.00', effectiveOn: '2020-01-01' })
})

test('what is not sold any more is left out and told of', async () => {
  const { id } = await place([{ product: 'support' }, { product: 'seat', quantity: 3 }])
  await api.post('/v1/products/seat/archive', {})
  const { order, changes } = await placeAgain(id)
  assert.partialDeepStrictEqual(order['lines'], [{ product: 'support' }])
  assert.deepEqual(
    changes.map(({ product, now }) => [product, now]),
    [['seat', null]],
  )
})
