import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { consumeBalances, remaining, rollOver } from '#domain/pricing/prepaid.ts'

const big = (value: number) => new Big(value)

test('what is left of a grant may be negative', () => {
  assert.equal(remaining(big(1000), big(1500)).toFixed(), '-500')
})

test('unused units roll over on top of the next grant, at most the cap', () => {
  assert.equal(rollOver(big(1000), big(600), null).toFixed(), '1400')
  assert.equal(rollOver(big(1000), big(600), big(200)).toFixed(), '1200')
  assert.equal(rollOver(big(1000), big(1200), null).toFixed(), '1000')
})

test('the oldest balance is used first, and what none covers is said', () => {
  const taken = consumeBalances([big(400), big(1000)], big(300))
  assert.deepEqual(taken.left.map(Number), [100, 1000])
  const over = consumeBalances([big(400), big(1000)], big(1500))
  assert.deepEqual(over.left.map(Number), [0, 0])
  assert.equal(over.uncovered.toFixed(), '100')
})
