import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { fillMaximum, prorateMinimum, trueUp } from '#domain/pricing/true-up.ts'

const big = (value: number) => new Big(value)

test('a commitment of 100.00 with lines of 70.00 has a true-up of 30.00', () => {
  assert.equal(trueUp(big(100), [big(50), big(20)]).toFixed(), '30')
})

test('lines above the commitment add nothing', () => {
  assert.equal(trueUp(big(100), [big(170)]).toFixed(), '0')
})

test('two of 29 days of a commitment of 100.00 are 6.90', () => {
  assert.equal(prorateMinimum(10_000, { numerator: 2, denominator: 29 }), 690)
})

test('a maximum is filled in the order of the lines, and the rest of each is its discount', () => {
  const { discounts, net } = fillMaximum(big(170), big(160), [big(15), big(7)])
  assert.deepEqual(discounts.map(Number), [5, 7])
  assert.equal(net.toFixed(), '10')
})

test('a maximum that was reached before leaves nothing', () => {
  const { discounts, net } = fillMaximum(big(170), big(200), [big(15), big(7)])
  assert.deepEqual(discounts.map(Number), [15, 7])
  assert.equal(net.toFixed(), '0')
})
