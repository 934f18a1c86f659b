import assert from 'node:assert/strict'
import test from 'node:test'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import type { Price } from '#domain/pricing/price.ts'
import { checkItemDates, type PriceListItem } from '#domain/pricing/price-list-item.ts'
import {
  agreePrice,
  checkPriceListCycle,
  type ItemPrice,
  type PricedProduct,
  type PriceList,
  type PriceRequest,
} from '#domain/pricing/price-list.ts'

const hosting: PricedProduct = {
  id: 'hosting-5',
  code: 'hosting-5',
  basePrice: perUnit('10.00'),
  currency: 'USD',
  variantOf: 'hosting',
  attributes: { users: '5' },
  category: 'hosting',
}

function perUnit(unitAmount: string): Price {
  return { model: 'per_unit', unitAmount }
}

function fixed(unitAmount: string): ItemPrice {
  return { kind: 'fixed', price: perUnit(unitAmount) }
}

function item(id: string, pricing: ItemPrice, overrides: Partial<PriceListItem> = {}): PriceListItem {
  return {
    id,
    customerId: null,
    target: { kind: 'all' },
    minimumQuantity: '0',
    currency: null,
    startsOn: null,
    endsOn: null,
    season: null,
    pricing,
    ...overrides,
  }
}

function listOf(items: PriceListItem[], overrides: Partial<PriceList> = {}): PriceList {
  return { id: 'retail', currency: 'USD', items, ...overrides }
}

function agree(priceList: PriceList | null, overrides: Partial<PriceRequest> = {}) {
  const request = { customerId: 'ada', quantity: '1', currency: 'USD', on: '2026-06-01', ...overrides }
  return agreePrice(hosting, { ...request, priceList })
}

function unitAmount(priceList: PriceList | null, overrides: Partial<PriceRequest> = {}): string {
  const { price } = agree(priceList, overrides)
  assert.equal(price.model, 'per_unit')
  return Number(price.unitAmount).toFixed(2)
}

function hasCode(code: ErrorCode) {
  return (error: unknown) => error instanceof BusinessError && error.code === code
}

test('without a price list the base price is agreed as it stands', () => {
  assert.deepEqual(agree(null), {
    price: hosting.basePrice,
    source: 'base_price',
    priceListItemId: null,
  })
})

test('each more specific item wins over the former ones, and items are never added up', () => {
  const ladder: [item: PriceListItem, wins: string][] = [
    [item('all', { kind: 'discount', base: { kind: 'base_price' }, percent: '10' }), '9.00'],
    [item('category', fixed('8.50'), { target: { kind: 'category', category: 'hosting' } }), '8.50'],
    [item('attribute', fixed('8.25'), { target: { kind: 'attribute', name: 'users', value: '5' } }), '8.25'],
    [item('product', fixed('8.00'), { target: { kind: 'product', productId: 'hosting' } }), '8.00'],
    [item('variant', fixed('7.00'), { target: { kind: 'product', productId: 'hosting-5' } }), '7.00'],
    [item('customer', fixed('6.00'), { customerId: 'ada' }), '6.00'],
  ]
  for (const [index, [, wins]] of ladder.entries()) {
    const items = ladder.slice(0, index + 1).map(([item]) => item)
    assert.equal(unitAmount(listOf(items)), wins)
    assert.equal(unitAmount(listOf(items.toReversed())), wins)
  }
})

test('an item of another customer, product, attribute or category never applies', () => {
  const others = [
    item('1', fixed('1'), { customerId: 'bob' }),
    item('2', fixed('1'), { target: { kind: 'product', productId: 'disk' } }),
    item('3', fixed('1'), { target: { kind: 'attribute', name: 'users', value: '10' } }),
    item('4', fixed('1'), { target: { kind: 'attribute', name: 'constructor', value: '5' } }),
    item('5', fixed('1'), { target: { kind: 'category', category: 'storage' } }),
  ]
  assert.equal(agree(listOf(others)).source, 'base_price')
})

test('8.00 from 10 units: 9 units are 10.00 each, 10 units are 8.00 each', () => {
  const list = listOf([item('many', fixed('8.00'), { minimumQuantity: '10' })])
  assert.equal(unitAmount(list, { quantity: '9' }), '10.00')
  assert.equal(unitAmount(list, { quantity: '10' }), '8.00')
})

test('the highest minimum quantity reached wins, then the latest start', () => {
  const list = listOf([
    item('from-5', fixed('7.00'), { minimumQuantity: '5' }),
    item('old', fixed('9.00'), { startsOn: '2026-01-01' }),
    item('new', fixed('8.00'), { startsOn: '2026-05-01' }),
    item('undated', fixed('9.50')),
  ])
  assert.equal(agree(list, { quantity: '5' }).priceListItemId, 'from-5')
  assert.equal(agree(list).priceListItemId, 'new')
  assert.equal(agree(list, { on: '2026-04-30' }).priceListItemId, 'old')
})

test('a promotion in July holds in July only', () => {
  const july = item('july', fixed('7.00'), { startsOn: '2026-07-01', endsOn: '2026-08-01' })
  const months = ['2026-06-01', '2026-07-01', '2026-07-31', '2026-08-01']
  assert.deepEqual(
    months.map((on) => unitAmount(listOf([july]), { on })),
    ['10.00', '7.00', '7.00', '10.00'],
  )
})

test('8.00 from 1 November until 1 March, else 10.00: twelve months from January sum to 112.00', () => {
  const winter = item('winter', fixed('8.00'), { season: { from: '11-01', until: '03-01' } })
  const months = Array.from({ length: 12 }, (_, month) => `2026-${String(month + 1).padStart(2, '0')}-01`)
  const total = months.reduce((sum, on) => sum + Number(unitAmount(listOf([winter]), { on })), 0)
  assert.equal(total, 112)
})

test('a season within one year holds between its days, the last one excluded', () => {
  const summer = listOf([item('summer', fixed('8.00'), { season: { from: '06-01', until: '09-01' } })])
  const days = ['2026-05-31', '2026-06-01', '2026-08-31', '2026-09-01']
  assert.deepEqual(
    days.map((on) => unitAmount(summer, { on })),
    ['10.00', '8.00', '8.00', '10.00'],
  )
})

const formula: ItemPrice = {
  kind: 'formula',
  base: { kind: 'base_price' },
  discountPercent: '15',
  surcharge: '0.30',
  step: '0.05',
  least: null,
  greatest: null,
}

test('10.00 - 15 % + 0.30 in steps of 0.05 is 8.80, within a least and a greatest price', () => {
  assert.equal(unitAmount(listOf([item('f', formula)])), '8.80')
  assert.equal(unitAmount(listOf([item('f', { ...formula, surcharge: '0.32' })])), '8.80')
  assert.equal(unitAmount(listOf([item('f', { ...formula, surcharge: '0.33' })])), '8.85')
  assert.equal(unitAmount(listOf([item('f', { ...formula, least: '9.00' })])), '9.00')
  assert.equal(unitAmount(listOf([item('f', { ...formula, greatest: '8.00' })])), '8.00')
})

test('a discount on tiers lowers every tier and its flat amount', () => {
  const tiers = [
    { upTo: '10', unitAmount: '5', flatAmount: '10' },
    { upTo: null, unitAmount: '4' },
  ]
  const product: PricedProduct = { ...hosting, basePrice: { model: 'volume', tiers } }
  const priceList = listOf([item('half', { kind: 'discount', base: { kind: 'base_price' }, percent: '50' })])
  const { price } = agreePrice(product, { quantity: '1', currency: 'USD', on: '2026-06-01', priceList })
  assert.deepEqual(price, {
    model: 'volume',
    tiers: [
      { upTo: '10', unitAmount: '2.5', flatAmount: '5' },
      { upTo: null, unitAmount: '2' },
    ],
  })
})

test('an item can be a percentage of another price list', () => {
  const partner = listOf(
    [item('p', { kind: 'discount', base: { kind: 'price_list', priceListId: 'retail' }, percent: '20' })],
    { id: 'partner' },
  )
  const otherLists = new Map([['retail', listOf([item('r', fixed('9.00'))])]])
  assert.equal(unitAmount(partner, { otherLists }), '7.20')
  assert.equal(agree(partner, { otherLists }).priceListItemId, 'p')
  assert.throws(() => agree(partner), hasCode('price_list_unknown'))
})

test('a price list that refers back to itself is refused, when it is saved and when it is used', () => {
  const refer = (id: string, to: string) =>
    listOf([item(id, { kind: 'discount', base: { kind: 'price_list', priceListId: to }, percent: '1' })], {
      id,
    })
  const lists = new Map([
    ['a', refer('a', 'b')],
    ['b', refer('b', 'a')],
    ['c', refer('c', 'c')],
    ['d', refer('d', 'e')],
    ['e', listOf([item('e', fixed('1'))], { id: 'e' })],
  ])
  for (const id of ['a', 'b', 'c']) {
    assert.throws(() => checkPriceListCycle(lists, id), hasCode('price_list_cycle'))
    assert.throws(() => agree(lists.get(id) ?? null, { otherLists: lists }), hasCode('price_list_cycle'))
  }
  checkPriceListCycle(lists, 'd')
  assert.equal(unitAmount(lists.get('d') ?? null, { otherLists: lists }), '0.99')
})

test('a price given in the currency wins over one that must be converted', () => {
  const conversions = [
    { base: 'USD', quote: 'EUR', rate: '0.9', source: 'ECB', validOn: '2026-05-01' },
    { base: 'USD', quote: 'EUR', rate: '0.8', source: 'ECB', validOn: '2026-06-01' },
    { base: 'USD', quote: 'EUR', rate: '0.1', source: 'ECB', validOn: '2026-06-02' },
  ]
  const inEur = item('eur', fixed('7.77'), { currency: 'EUR' })
  const inUsd = item('usd', fixed('9.00'), { customerId: 'ada' })
  const euro = { currency: 'EUR' }
  assert.equal(unitAmount(listOf([inEur, inUsd], { conversions }), euro), '7.77')
  assert.equal(unitAmount(listOf([inUsd], { conversions }), euro), '7.20')
  assert.equal(unitAmount(listOf([], { conversions }), euro), '8.00')
  assert.deepEqual(agree(listOf([], { conversions }), euro).conversion, conversions[1])
  const inverse = [{ base: 'EUR', quote: 'USD', rate: '1.25', source: 'ECB', validOn: '2026-05-01' }]
  assert.equal(unitAmount(listOf([inUsd], { conversions: inverse }), euro), '7.20')
})

test('no price in the currency and no rate is refused', () => {
  const missing = hasCode('price_missing_in_currency')
  assert.throws(() => agree(null, { currency: 'EUR' }), missing)
  assert.throws(() => agree(listOf([item('usd', fixed('9'))]), { currency: 'EUR' }), missing)
})

test('dates that hold no day are refused with their field', () => {
  const open = { startsOn: null, endsOn: null, season: null }
  const cases: [dates: Parameters<typeof checkItemDates>[0], pointer: string][] = [
    [{ ...open, startsOn: '2026-07-01', endsOn: '2026-07-01' }, '/items/0/endsOn'],
    [{ ...open, season: { from: '11-01', until: '11-01' } }, '/items/0/season/until'],
    [{ ...open, season: { from: '13-01', until: '11-01' } }, '/items/0/season/from'],
    [{ ...open, season: { from: '11-01', until: '02-30' } }, '/items/0/season/until'],
  ]
  for (const [dates, pointer] of cases) {
    assert.throws(
      () => checkItemDates(dates, '/items/0'),
      (error) =>
        hasCode('date_range_invalid')(error) && (error as BusinessError).fields[0]?.pointer === pointer,
    )
  }
  checkItemDates(
    { startsOn: '2026-07-01', endsOn: '2026-07-02', season: { from: '02-29', until: '03-01' } },
    '',
  )
})
