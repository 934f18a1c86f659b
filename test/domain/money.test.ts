import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { currencyExponent, formatMoney, fromMinor, roundHalfAwayFromZero } from '#domain/money.ts'

const roundings: [exact: string, currency: string, minor: number][] = [
  ['0.125', 'USD', 13],
  ['-0.125', 'USD', -13],
  ['0.124999999999', 'USD', 12],
  ['0.005', 'EUR', 1],
  ['-0.004', 'EUR', 0],
  ['1234.5678', 'JPY', 1235],
  ['1234.5678', 'USD', 123457],
  ['1234.5678', 'KWD', 1234568],
  ['1234.5678', 'CLF', 12345678],
  ['0.5', 'JPY', 1],
  ['-0.5', 'JPY', -1],
  ['18.296666666667', 'USD', 1830],
  ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
]

for (const [exact, currency, minor] of roundings) {
  test(`${exact} ${currency} rounds to ${minor} minor units`, () => {
    assert.equal(roundHalfAwayFromZero(new Big(exact), currency), minor)
  })
}

test('what rounds to nothing is 0, never minus 0', () => {
  assert.ok(Object.is(roundHalfAwayFromZero(new Big('-0.001'), 'USD'), 0))
})

test('an amount beyond the safe integers is an error, never a wrong number', () => {
  assert.throws(() => roundHalfAwayFromZero(new Big('90071992547409.92'), 'USD'), RangeError)
  assert.throws(() => roundHalfAwayFromZero(new Big('-1e30'), 'JPY'), RangeError)
})

test('a currency that the table lacks is refused', () => {
  assert.throws(() => currencyExponent('XXX'), { code: 'currency_unknown' })
  assert.throws(() => currencyExponent('usd'), { code: 'currency_unknown' })
  assert.throws(() => roundHalfAwayFromZero(new Big(1), 'ABC'), { code: 'currency_unknown' })
})

test('a currency named like a property of every object is refused', () => {
  assert.throws(() => currencyExponent('constructor'), { code: 'currency_unknown' })
})

test('money is written with all decimals of its currency', () => {
  assert.equal(formatMoney(1050, 'USD'), '10.50 USD')
  assert.equal(formatMoney(-5, 'USD'), '-0.05 USD')
  assert.equal(formatMoney(1235, 'JPY'), '1235 JPY')
  assert.equal(formatMoney(1, 'KWD'), '0.001 KWD')
})

test('minor units become major units and back without loss', () => {
  const minor = fc.integer({ min: -(2 ** 47), max: 2 ** 47 })
  const currency = fc.constantFrom('JPY', 'USD', 'KWD', 'CLF')
  fc.assert(
    fc.property(minor, currency, (amountMinor, code) => {
      assert.equal(roundHalfAwayFromZero(fromMinor(amountMinor, code), code), amountMinor)
    }),
  )
})

test('a credit mirrors its charge to the cent', () => {
  const tenThousandths = fc.integer({ min: 0, max: 10 ** 12 })
  fc.assert(
    fc.property(tenThousandths, (parts) => {
      const exact = new Big(parts).div(10_000)
      assert.equal(
        Math.abs(roundHalfAwayFromZero(exact.times(-1), 'USD')),
        roundHalfAwayFromZero(exact, 'USD'),
      )
    }),
  )
})
