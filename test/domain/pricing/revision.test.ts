import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { BusinessError } from '#domain/errors.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { revisePrice, variationPercent } from '#domain/pricing/revision.ts'
import { anyPrice, anyQuantity } from './price-generator.ts'

test('10.00 and 5 % more is 10.50', () => {
  assert.deepEqual(revisePrice({ model: 'per_unit', unitAmount: '10.00' }, { percent: '5' }), {
    model: 'per_unit',
    unitAmount: '10.5',
  })
})

test('a revision to a price takes its place', () => {
  const price = { model: 'flat', amount: '120' } as const
  assert.equal(revisePrice({ model: 'flat', amount: '100' }, { price }), price)
})

test('a formula is revised around, not inside', () => {
  const revised = revisePrice({ model: 'formula', formula: 'quantity + 1' }, { percent: '10' })
  assert.equal(ratePrice(revised, new Big(9)).amount.toFixed(), '11')
})

test('a price falls by at most 100 %', () => {
  const price = { model: 'flat', amount: '100' } as const
  assert.deepEqual(revisePrice(price, { percent: '-100' }), { model: 'flat', amount: '0' })
  assert.throws(
    () => revisePrice(price, { percent: '-101' }),
    (error) => error instanceof BusinessError && error.code === 'price_negative',
  )
})

test('a revised price comes to so much more at every quantity', () => {
  fc.assert(
    fc.property(anyPrice, anyQuantity, fc.integer({ min: -100, max: 300 }), (price, quantity, percent) => {
      const before = ratePrice(price, new Big(quantity)).amount
      const after = ratePrice(revisePrice(price, { percent: `${percent}` }), new Big(quantity)).amount
      // Quotients have 40 decimals, so both ways agree but for the last of them.
      const difference = after.minus(before.times(100 + percent).times('0.01')).abs()
      assert.ok(difference.lt('1e-35'), difference.toFixed())
    }),
    { numRuns: 2000 },
  )
})

test('100 to 200 is 100 % more; from 0 there is no percentage', () => {
  assert.equal(variationPercent(new Big(100), new Big(200)).toFixed(), '100')
  assert.equal(variationPercent(new Big(200), new Big(150)).toFixed(), '-25')
  assert.equal(variationPercent(new Big(0), new Big(200)).toFixed(), '0')
})
