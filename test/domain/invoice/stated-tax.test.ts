import assert from 'node:assert/strict'
import test from 'node:test'
import { stateCorrectedTax, stateTax } from '#domain/invoice/stated-tax.ts'

const rate = { base: 'EUR', quote: 'USD', rate: '1.0842', source: 'ECB', validOn: '2026-02-27' }

test('tax in another currency is converted by the rate of the day of issue and rounded once', () => {
  const tax = { currency: 'USD', taxMinor: 1999, issuedOn: '2026-03-01' }
  assert.deepEqual(stateTax(tax, 'EUR', [rate]), { currency: 'EUR', taxMinor: 1844, rate })
  const yen = { ...rate, base: 'JPY', rate: '0.0064' }
  assert.equal(stateTax(tax, 'JPY', [yen])?.taxMinor, 3123)
})

test('nothing is converted where nothing is to be said, and no rate is guessed', () => {
  const tax = { currency: 'USD', taxMinor: 1999, issuedOn: '2026-02-26' }
  assert.equal(stateTax({ ...tax, currency: 'EUR' }, 'EUR', []), null)
  assert.equal(stateTax({ ...tax, taxMinor: 0 }, 'EUR', []), null)
  assert.throws(() => stateTax(tax, 'EUR', [rate]), { code: 'exchange_rate_missing' })
})

test('a correction takes back at the rate of what it corrects, and nothing where nothing was stated', () => {
  const tax = { currency: 'USD', taxMinor: 1999 }
  assert.equal(stateCorrectedTax(tax, { currency: 'EUR', taxMinor: 1844, rate })?.taxMinor, 1844)
  assert.equal(stateCorrectedTax(tax, null), null)
})
