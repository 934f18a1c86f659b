import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { BusinessError } from '#domain/errors.ts'
import { planOrder } from '#domain/order.ts'
import { checkVariant, checkVariantQuantity, quantityOnChange } from '#domain/variant.ts'
import { catalogKit, catalogOf, catalogProduct } from '#test/support/catalog.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'

const user = catalogProduct('user', { billingType: 'threshold', unit: 'user', basePrice: perUnitPrice('1') })
const fiveUsers = {
  ...user,
  id: 'five',
  code: 'five',
  attributes: { users: '5' },
  quantityAttribute: 'users',
}
const tenUsers = { ...user, id: 'ten', code: 'ten', attributes: { users: '10' }, quantityAttribute: 'users' }
const terms = {
  customerId: 'acme',
  currency: 'USD',
  on: '2026-04-10',
  startsOn: '2026-04-10',
  priceList: null,
  otherLists: new Map(),
}

function refusal(act: () => void) {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof BusinessError, String(error))
    return [error.code, error.fields[0]?.pointer]
  }
  return assert.fail('nothing was refused')
}

test('one of the variant "5 users" sells five users, two sell ten, each at the price of a user', () => {
  const sold = (quantity: string) =>
    planOrder([{ productId: 'five', quantity }], catalogOf([fiveUsers]), terms)[0]?.lines[0]
  assert.deepEqual([sold('1')?.quantity, sold('1')?.amountMinor], ['5', 500])
  assert.deepEqual([sold('2')?.quantity, sold('2')?.amountMinor], ['10', 1000])
})

test('a variant in a kit sells its quantity as well', () => {
  const catalog = catalogOf([fiveUsers], [catalogKit('team', [['product', 'five', '3']])])
  assert.equal(planOrder([{ kitId: 'team', quantity: '1' }], catalog, terms)[0]?.lines[0]?.quantity, '15')
})

test('as many are held of the next variant as were of the one before', () => {
  const after = (from: typeof user, to: typeof user, quantity: string) =>
    quantityOnChange(from, to, new Big(quantity)).toFixed()
  assert.equal(after(fiveUsers, tenUsers, '10'), '20')
  assert.equal(after(user, tenUsers, '7'), '10')
  assert.equal(after(fiveUsers, user, '5'), '5')
  assert.equal(after(fiveUsers, fiveUsers, '7'), '7')
})

test('a variant is sold in multiples of its quantity', () => {
  checkVariantQuantity(fiveUsers, new Big(15), '/quantity')
  assert.deepEqual(
    refusal(() => checkVariantQuantity(fiveUsers, new Big(7), '/quantity')),
    ['quantity_invalid', '/quantity'],
  )
})

test('what sets a quantity is a number above 0, whole where its unit is, of a product that sells a threshold', () => {
  const broken = (change: object) => refusal(() => checkVariant({ ...fiveUsers, ...change }))
  assert.deepEqual(broken({ billingType: 'flat' }), ['field_invalid', '/quantity_attribute'])
  assert.deepEqual(broken({ attributes: {} }), ['field_invalid', '/quantity_attribute'])
  assert.deepEqual(broken({ attributes: { users: 'five' } }), ['quantity_invalid', '/attributes/users'])
  assert.deepEqual(broken({ attributes: { users: '0' } }), ['quantity_invalid', '/attributes/users'])
  assert.deepEqual(broken({ attributes: { users: '1.5' } }), ['quantity_not_whole', '/attributes/users'])
})
