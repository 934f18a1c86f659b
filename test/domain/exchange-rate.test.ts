import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { describeExchangeRate, exchange, getExchangeRate, type ExchangeRate } from '#domain/exchange-rate.ts'

function rate(base: string, quote: string, value: string, validOn: string): ExchangeRate {
  return { base, quote, rate: value, source: 'ECB', validOn }
}

const rates = [
  rate('EUR', 'USD', '1.25', '2026-02-27'),
  rate('EUR', 'USD', '1.10', '2026-02-20'),
  rate('USD', 'EUR', '0.9', '2026-02-20'),
  rate('EUR', 'USD', '1.20', '2026-03-02'),
  rate('EUR', 'USD', '1.21', '2026-03-02'),
  rate('EUR', 'GBP', '0.85', '2026-02-27'),
]

// prettier-ignore
const table = [
  ['a weekend has the rate of the Friday before', 'EUR', 'USD', '2026-03-01', '1.25'],
  ['the rate of a day holds on that day, and of two of one day the one recorded last', 'EUR', 'USD', '2026-03-02', '1.21'],
  ['either way round', 'USD', 'EUR', '2026-03-01', '1.25'],
  ['of one day the pair that was asked for goes before its inverse', 'USD', 'EUR', '2026-02-21', '0.9'],
  ['of one day the pair that was asked for goes before its inverse', 'EUR', 'USD', '2026-02-21', '1.10'],
] as const

for (const [name, from, to, on, value] of table) {
  test(`${name}: ${from} to ${to} on ${on}`, () => {
    assert.equal(getExchangeRate(rates, { from, to, on }).rate, value)
  })
}

test('a rate that is not known is not guessed, neither from a later day nor over a third currency', () => {
  const missing = { code: 'exchange_rate_missing' }
  assert.throws(() => getExchangeRate(rates, { from: 'EUR', to: 'USD', on: '2026-02-19' }), missing)
  assert.throws(() => getExchangeRate(rates, { from: 'USD', to: 'GBP', on: '2026-03-02' }), missing)
})

test('an amount is exchanged exactly, either way round', () => {
  const euro = rate('EUR', 'USD', '1.25', '2026-02-27')
  assert.equal(exchange(new Big('10'), 'EUR', euro).toFixed(), '12.5')
  assert.equal(exchange(new Big('10'), 'USD', euro).toFixed(), '8')
  assert.equal(describeExchangeRate({ ...euro, rate: '1.2500' }), '1 EUR = 1.25 USD')
})
