import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { checkPrice } from '#domain/pricing/check.ts'
import type { Price } from '#domain/pricing/price.ts'
import { anyPrice } from './price-generator.ts'

const names = { values: ['line.quantity'], metrics: ['users'] }

function tiers(...bounds: (string | null)[]): Price {
  return { model: 'volume', tiers: bounds.map((upTo) => ({ upTo, unitAmount: '1' })) }
}

const refused: [says: string, price: Price, code: ErrorCode, pointer: string][] = [
  ['a negative price', { model: 'flat', amount: '-0.01' }, 'price_negative', '/price/amount'],
  ['no tier', tiers(), 'tiers_invalid', '/price/tiers'],
  ['a last tier that ends', tiers('10', '20'), 'tiers_invalid', '/price/tiers/1/upTo'],
  ['an open tier before the last', tiers('10', null, null), 'tiers_invalid', '/price/tiers/1/upTo'],
  ['tiers that overlap', tiers('10', '5', null), 'tiers_invalid', '/price/tiers/1/upTo'],
  ['a tier without a unit', tiers('10', '10.0', null), 'tiers_invalid', '/price/tiers/1/upTo'],
  [
    'a negative flat amount',
    { model: 'stairstep', tiers: [{ upTo: null, flatAmount: '-5' }] },
    'price_negative',
    '/price/tiers/0/flatAmount',
  ],
  [
    'packages of nothing',
    { model: 'package', packageSize: '0', packageAmount: '1' },
    'field_invalid',
    '/price/packageSize',
  ],
  [
    'a minimum above the maximum',
    { model: 'flat', amount: '1', leastAmount: '20', greatestAmount: '10' },
    'field_invalid',
    '/price/leastAmount',
  ],
  [
    'two grid steps of one bound',
    {
      model: 'grid',
      steps: [
        { from: '1', amount: '1', kind: 'fixed' },
        { from: '1.0', amount: '2', kind: 'fixed' },
      ],
    },
    'tiers_invalid',
    '/price/steps/1/from',
  ],
  ['bad syntax', { model: 'formula', formula: '1 +' }, 'formula_invalid', '/price/formula'],
  ['an unknown name', { model: 'formula', formula: 'price' }, 'formula_invalid', '/price/formula'],
  ['a call', { model: 'formula', formula: 'fetch("x")' }, 'formula_not_allowed', '/price/formula'],
  ['no decimal', { model: 'per_unit', unitAmount: '1e3' }, 'field_invalid', '/price/unitAmount'],
]

for (const [says, price, code, pointer] of refused) {
  test(`a price with ${says} is refused: ${code} at ${pointer}`, () => {
    assert.throws(
      () => checkPrice(price, '/price', names),
      (error) =>
        error instanceof BusinessError && error.code === code && error.fields[0]?.pointer === pointer,
    )
  })
}

test('a formula price may use the quantity, the named values and metrics', () => {
  const formula = 'quantity * line.quantity + metric("users").max'
  assert.doesNotThrow(() => checkPrice({ model: 'formula', formula }, '/price', names))
})

test('a free price is allowed, and a leading tier of 0 to 0', () => {
  assert.doesNotThrow(() => checkPrice({ model: 'flat', amount: '0.00' }, '/price', names))
  assert.doesNotThrow(() => checkPrice(tiers('0', '10', null), '/price', names))
})

test('every price that can be rated is accepted, but for a minimum above its maximum', () => {
  fc.assert(
    fc.property(anyPrice, (price) => {
      const { leastAmount, greatestAmount } = price
      if (Number(leastAmount ?? 0) > Number(greatestAmount ?? Infinity)) return
      checkPrice(price, '/price', names)
    }),
    { numRuns: 500 },
  )
})
