import assert from 'node:assert/strict'
import test from 'node:test'
import { perUnitPrice, unitPriceOf } from '#domain/pricing/unit-price.ts'

test('a plain price per unit has a unit price, to the last digit', () => {
  assert.equal(unitPriceOf(perUnitPrice('0.0000012345')), '0.0000012345')
})

test('a price that depends on the quantity has no single unit price', () => {
  assert.equal(unitPriceOf({ ...perUnitPrice('1'), includedQuantity: '10' }), null)
  assert.equal(unitPriceOf({ ...perUnitPrice('1'), leastAmount: '20' }), null)
  assert.equal(unitPriceOf({ ...perUnitPrice('0.60'), perUnits: '1000' }), null)
  assert.equal(unitPriceOf({ model: 'volume', tiers: [{ upTo: null, unitAmount: '1' }] }), null)
})
