import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import {
  currencyExponent,
  decimalAmount,
  divide,
  exactShares,
  formatMoney,
  fromMinor,
  parseAmount,
  roundDecimal,
  roundHalfAwayFromZero,
  roundMinor,
  roundToStep,
  roundToTotal,
  spread,
  type RoundingMode,
} from '#domain/money.ts'

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

test('an amount beyond the safe integers is refused, never a wrong number', () => {
  const refusal = { code: 'amount_too_large' }
  assert.throws(() => roundHalfAwayFromZero(new Big('90071992547409.92'), 'USD'), refusal)
  assert.throws(() => roundHalfAwayFromZero(new Big('-1e30'), 'JPY'), refusal)
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

test('an amount that a form offers is one that it takes, in every currency', () => {
  for (const [amountMinor, currency, text] of [
    [123_450, 'USD', '1234.50'],
    [20_125, 'KWD', '20.125'],
    [500, 'JPY', '500'],
  ] as const) {
    assert.equal(decimalAmount(amountMinor, currency), text)
    assert.equal(parseAmount(text, currency), amountMinor)
  }
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

const decimals: [value: string, digits: number, mode: RoundingMode, rounded: string][] = [
  ['7.365', 2, 'nearest', '7.37'],
  ['-7.365', 2, 'nearest', '-7.37'],
  ['7.365', 2, 'half_even', '7.36'],
  ['7.375', 2, 'half_even', '7.38'],
  ['1.5601', 2, 'up', '1.57'],
  ['-1.5601', 2, 'up', '-1.57'],
  ['1.56', 2, 'up', '1.56'],
  ['1.3399', 2, 'down', '1.33'],
  ['-1.3399', 2, 'down', '-1.33'],
  ['123.4567', 0, 'nearest', '123'],
  ['125', -1, 'nearest', '130'],
]

for (const [value, digits, mode, rounded] of decimals) {
  test(`${value} to ${digits} digits ${mode} is ${rounded}`, () => {
    assert.equal(roundDecimal(new Big(value), digits, mode).toFixed(), rounded)
  })
}

test('a price formula rounds to its step: 8.81 by 0.05 is 8.80', () => {
  assert.equal(roundToStep(new Big('8.81'), new Big('0.05')).toFixed(2), '8.80')
  assert.equal(roundToStep(new Big('8.825'), new Big('0.05')).toFixed(2), '8.85')
  assert.equal(roundToStep(new Big('8.81'), new Big('0.05'), 'up').toFixed(2), '8.85')
  assert.throws(() => roundToStep(new Big(1), new Big(0)), /more than 0/)
})

test('a quotient keeps 40 decimals', () => {
  assert.equal(divide(new Big(1), new Big(3)).toFixed(), `0.${'3'.repeat(40)}`)
})

test('minor units beyond the safe integers are refused', () => {
  assert.throws(() => roundMinor(new Big('9007199254740992')), { code: 'amount_too_large' })
})

test('10.00 spread over three equal parts is 3.34, 3.33 and 3.33', () => {
  assert.deepEqual(spread(1000, [new Big(1), new Big(1), new Big(1)]), [334, 333, 333])
  assert.deepEqual(spread(-1000, [new Big(1), new Big(1), new Big(1)]), [-333, -333, -334])
  assert.deepEqual(spread(5, []), [])
})

test('weights that sum to nothing share alike', () => {
  assert.deepEqual(spread(5, [new Big(0), new Big(0)]), [3, 2])
  assert.equal(exactShares(new Big(5), [new Big(0), new Big(0)])[1]?.toFixed(), '2.5')
})

test('parts that do not add up to the total are an error', () => {
  assert.throws(() => roundToTotal([new Big('1.5'), new Big('1.5')], 9), /do not add up/)
})

test('shares sum to what was spread, and none is a whole unit away from its exact share', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 10 ** 9 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), weights, (amountMinor, list) => {
      const bigs = list.map((weight) => new Big(weight))
      const shares = spread(amountMinor, bigs)
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        amountMinor,
      )
      for (const [index, exact] of exactShares(new Big(amountMinor), bigs).entries()) {
        assert.ok(
          exact
            .minus(shares[index] ?? NaN)
            .abs()
            .lt(1),
        )
      }
    }),
    { numRuns: 1000 },
  )
})

test('a quotient is that of big.js to the fortieth decimal, of any signs and sizes', () => {
  const Exact = Big()
  Exact.DP = 40
  const value = fc
    .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: -30, max: 30 }))
    .map(([digits, exponent]) => `${digits}e${exponent}`)
  fc.assert(
    fc.property(value, value, (dividend, divisor) => {
      fc.pre(!new Big(divisor).eq(0))
      const expected = new Exact(dividend).div(divisor).toFixed()
      assert.equal(divide(new Big(dividend), new Big(divisor)).toFixed(), expected)
    }),
    { numRuns: 2_000 },
  )
})
