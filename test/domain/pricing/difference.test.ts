import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { sumOf } from '#domain/pricing/decimal.ts'
import { earlyInvoices, rateDifference, settleEarlyInvoices } from '#domain/pricing/difference.ts'
import type { Price } from '#domain/pricing/price.ts'
import { anyPrice, anyQuantity } from './price-generator.ts'

test('a late unit that reaches the next volume tier gives back 150.00 and charges 80.00', () => {
  const tiers = [
    { upTo: '15', unitAmount: '10.00' },
    { upTo: null, unitAmount: '5.00' },
  ]
  const late = rateDifference({ model: 'volume', tiers }, new Big(15), new Big(16))
  assert.equal(late.amount.toFixed(), '-70')
  assert.equal(late.reversed.toFixed(), '-150')
  assert.equal(late.charged.amount.toFixed(), '80')
  assert.equal(late.quantity.toFixed(), '1')
})

test('graduated tiers go on counting: only what changed of each tier is billed', () => {
  const tiers = [
    { upTo: '5', unitAmount: '0', flatAmount: '100' },
    { upTo: '10', unitAmount: '0', flatAmount: '50' },
    { upTo: '15', unitAmount: '5' },
    { upTo: null, unitAmount: '1' },
  ]
  const late = rateDifference({ model: 'graduated', tiers }, new Big(12), new Big(22))
  assert.equal(late.amount.toFixed(), '22')
  assert.deepEqual(
    late.steps.map(({ amount }) => amount),
    ['15', '7'],
  )
})

test('less than was billed gives back', () => {
  const price: Price = { model: 'per_unit', unitAmount: '10' }
  assert.equal(rateDifference(price, new Big(8), new Big(5)).amount.toFixed(), '-30')
})

test('what is owed at quantity 0 is billed once, with the first bill', () => {
  const tiers = [{ upTo: null, unitAmount: '1', flatAmount: '10' }]
  const price: Price = { model: 'graduated', tiers }
  assert.equal(rateDifference(price, null, new Big(5)).amount.toFixed(), '15')
  assert.equal(rateDifference(price, new Big(0), new Big(5)).amount.toFixed(), '5')
})

test('two differences in a row come to the same as one, and their steps add up', () => {
  fc.assert(
    fc.property(anyPrice, anyQuantity, anyQuantity, anyQuantity, (price, first, second, third) => {
      const [a, b, c] = [new Big(first), new Big(second), new Big(third)]
      const difference = (from: Big, to: Big) => rateDifference(price, from, to)
      const inTwo = difference(a, b).amount.plus(difference(b, c).amount)
      assert.equal(inTwo.toFixed(), difference(a, c).amount.toFixed())
      const steps = difference(a, c).steps.map(({ amount }) => new Big(amount))
      assert.equal(sumOf(steps).toFixed(), difference(a, c).amount.toFixed())
    }),
    { numRuns: 2000 },
  )
})

test('a step of 200.00 found at 240.00 is invoiced with 240.00, and 360.00 of 600.00 are left', () => {
  assert.deepEqual(earlyInvoices([20_000], [10_000, 24_000, 60_000]), [{ amountMinor: 24_000, foundAt: 1 }])
  assert.deepEqual(settleEarlyInvoices([60_000], [24_000]), {
    feesMinor: 60_000,
    creditedMinor: 24_000,
    excessMinor: 0,
    totalMinor: 36_000,
  })
})

test('each threshold is passed once, and several at once make one invoice', () => {
  assert.deepEqual(
    earlyInvoices([50_000, 20_000], [20_000, 40_000, 60_000]).map(({ amountMinor }) => amountMinor),
    [20_000, 40_000],
  )
  assert.deepEqual(
    earlyInvoices([20_000, 50_000], [60_000, 70_000]).map(({ amountMinor }) => amountMinor),
    [60_000],
  )
})

test('what was invoiced early beyond the fees is given back, and the total is never below 0', () => {
  assert.deepEqual(settleEarlyInvoices([5000, 1000], [8000]), {
    feesMinor: 6000,
    creditedMinor: 6000,
    excessMinor: 2000,
    totalMinor: 0,
  })
})
