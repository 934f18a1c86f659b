import assert from 'node:assert/strict'
import test from 'node:test'
import { agreePrice, type PriceListItem } from '#domain/price.ts'

const user = { id: 'user', code: 'odoo-user', basePrice: '1.00', currency: 'USD' }

function item(id: string, overrides: Partial<PriceListItem> = {}): PriceListItem {
  return {
    id,
    productId: null,
    minimumQuantity: '0',
    unitPrice: null,
    discountPercent: null,
    startsOn: null,
    endsOn: null,
    ...overrides,
  }
}

function agree(items: PriceListItem[], request: { quantity?: string; currency?: string; on?: string } = {}) {
  return agreePrice(user, {
    quantity: request.quantity ?? '5',
    currency: request.currency ?? 'USD',
    on: request.on ?? '2026-04-10',
    priceList: { currency: 'USD', items },
  })
}

test('without a price list the base price is agreed', () => {
  const terms = { quantity: '5', currency: 'USD', on: '2026-04-10', priceList: null }
  assert.deepEqual(agreePrice(user, terms), {
    unitPrice: '1.00',
    source: 'base_price',
    priceListItemId: null,
  })
})

test('an item of the product wins over an item of all products, whatever their order and minimum', () => {
  const all = item('all', { unitPrice: '0.10', minimumQuantity: '5' })
  const own = item('own', { productId: 'user', unitPrice: '0.90' })
  assert.equal(agree([all, own]).priceListItemId, 'own')
  assert.equal(agree([own, all]).priceListItemId, 'own')
})

test('an item of another product never applies', () => {
  assert.equal(agree([item('other', { productId: 'disk', unitPrice: '0.10' })]).source, 'base_price')
})

test('the highest minimum quantity that is reached wins, the bound included', () => {
  const items = [
    item('from-1', { productId: 'user', unitPrice: '1.00', minimumQuantity: '1' }),
    item('from-10', { productId: 'user', unitPrice: '0.80', minimumQuantity: '10' }),
    item('from-9', { productId: 'user', unitPrice: '0.90', minimumQuantity: '9' }),
  ]
  assert.equal(agree(items, { quantity: '8' }).unitPrice, '1.00')
  assert.equal(agree(items, { quantity: '9.5' }).unitPrice, '0.90')
  assert.equal(agree(items, { quantity: '10' }).unitPrice, '0.80')
  assert.equal(agree(items, { quantity: '100' }).unitPrice, '0.80')
})

test('an item holds from its first day to the day before its end', () => {
  const items = [item('april', { unitPrice: '0.50', startsOn: '2026-04-01', endsOn: '2026-05-01' })]
  assert.equal(agree(items, { on: '2026-03-31' }).source, 'base_price')
  assert.equal(agree(items, { on: '2026-04-01' }).unitPrice, '0.50')
  assert.equal(agree(items, { on: '2026-04-30' }).unitPrice, '0.50')
  assert.equal(agree(items, { on: '2026-05-01' }).source, 'base_price')
})

test('of two equal items the one that began later wins', () => {
  const older = item('older', { unitPrice: '0.70', startsOn: '2026-01-01' })
  const newer = item('newer', { unitPrice: '0.60', startsOn: '2026-04-01' })
  const always = item('always', { unitPrice: '0.80' })
  assert.equal(agree([newer, older, always]).priceListItemId, 'newer')
  assert.equal(agree([always, older, newer]).priceListItemId, 'newer')
})

test('a percentage comes off the base price, unrounded, and items are never added up', () => {
  const items = [
    item('third', { productId: 'user', discountPercent: '33.333' }),
    item('all', { discountPercent: '50' }),
  ]
  assert.deepEqual(agree(items), { unitPrice: '0.66667', source: 'price_list', priceListItemId: 'third' })
  assert.equal(agree([item('free', { discountPercent: '100' })]).unitPrice, '0')
})

test('a price of nothing is a price, not a missing one', () => {
  assert.equal(agree([item('free', { productId: 'user', unitPrice: '0' })]).unitPrice, '0')
})

test('a product without a price in the currency is refused', () => {
  assert.throws(() => agree([], { currency: 'EUR' }), { code: 'price_missing_in_currency' })
})

test('a price list in the currency gives a product of another currency its price', () => {
  const euroList = {
    currency: 'EUR',
    items: [item('eur', { productId: 'user', unitPrice: '0.95' })],
  }
  const terms = { quantity: '1', currency: 'EUR', on: '2026-04-10', priceList: euroList }
  assert.equal(agreePrice(user, terms).unitPrice, '0.95')
})

test('a percentage off cannot stand in for a price in another currency', () => {
  const euroList = { currency: 'EUR', items: [item('ten', { discountPercent: '10' })] }
  const terms = { quantity: '1', currency: 'EUR', on: '2026-04-10', priceList: euroList }
  assert.throws(() => agreePrice(user, terms), { code: 'price_missing_in_currency' })
})
