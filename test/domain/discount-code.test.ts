import assert from 'node:assert/strict'
import test from 'node:test'
import { chooseDiscounted, type OfferedDiscount } from '#domain/discount-code.ts'

const offered: OfferedDiscount = {
  code: 'SPRING',
  percent: '10',
  currency: null,
  productId: null,
  startsOn: '2026-03-01',
  endsOn: '2026-06-01',
  isArchived: false,
}
const order = { currency: 'USD', on: '2026-03-01', productIds: [['site'], ['user', 'disk'], ['user']] }

test('a percentage is for every subscription that has its product', () => {
  assert.deepEqual(chooseDiscounted(offered, order), [0, 1, 2])
  assert.deepEqual(chooseDiscounted({ ...offered, productId: 'user' }, order), [1, 2])
})

test('an amount is for the first such subscription alone: 5.00 off an order of three are 5.00', () => {
  const amount = { ...offered, percent: null, currency: 'USD' }
  assert.deepEqual(chooseDiscounted(amount, order), [0])
  assert.deepEqual(chooseDiscounted({ ...amount, productId: 'user' }, order), [1])
  assert.throws(() => chooseDiscounted({ ...amount, currency: 'EUR' }, order), { code: 'currency_mismatch' })
})

test('a code is known from its first day on and not on the day after its last', () => {
  const unknown = { code: 'discount_code_unknown' }
  assert.throws(() => chooseDiscounted(offered, { ...order, on: '2026-02-28' }), unknown)
  assert.deepEqual(chooseDiscounted(offered, { ...order, on: '2026-05-31' }), [0, 1, 2])
  assert.throws(() => chooseDiscounted(offered, { ...order, on: '2026-06-01' }), unknown)
  assert.throws(() => chooseDiscounted({ ...offered, isArchived: true }, order), unknown)
  assert.throws(() => chooseDiscounted({ ...offered, productId: 'mail' }, order), unknown)
})
