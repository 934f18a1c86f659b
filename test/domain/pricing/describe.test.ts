import assert from 'node:assert/strict'
import test from 'node:test'
import { describePriceModel } from '#domain/pricing/describe.ts'
import type { Price } from '#domain/pricing/price.ts'

const tiers = [
  { upTo: '10', unitAmount: '5' },
  { upTo: null, unitAmount: '4', flatAmount: '2' },
]

const sentences: [price: Price, unit: string, sentence: string][] = [
  [{ model: 'per_unit', unitAmount: '1.00' }, 'GiB', '1.00 USD per GiB'],
  [{ model: 'per_unit', unitAmount: '0.0000012345' }, 'B', '0.0000012345 USD per B'],
  [{ model: 'per_unit', unitAmount: '0.60', perUnits: '1000' }, 'request', '0.60 USD per 1,000 requests'],
  [
    { model: 'per_unit', unitAmount: '1', includedQuantity: '10', greatestAmount: '1200.5' },
    'GiB',
    '10 GiB included, then 1.00 USD per GiB, at most 1,200.50 USD',
  ],
  [{ model: 'flat', amount: '5.0' }, 'month', '5.00 USD'],
  [
    { model: 'volume', tiers },
    'user',
    'up to 10 users 5.00 USD per user, above 4.00 USD per user + 2.00 USD; all at the price of the tier reached',
  ],
  [
    { model: 'graduated', tiers },
    'user',
    'up to 10 users 5.00 USD per user, above 4.00 USD per user + 2.00 USD; each at its own tier',
  ],
  [
    { model: 'package', packageSize: '100', packageAmount: '5', minimumPackages: 1 },
    'request',
    '5.00 USD per started 100 requests, at least 1 of them',
  ],
  [
    { model: 'percentage', ratePercent: '2.9', amountPerEvent: '0.3' },
    'piece',
    '2.9 % of the value + 0.30 USD per event',
  ],
  [
    { model: 'commitment', unitAmount: '1', committedQuantity: '100', overageFactor: '1.5' },
    'request',
    '1.00 USD per request, 100 requests committed, 1.50 USD per request above',
  ],
  [
    {
      model: 'grid',
      fixedAmount: '50',
      steps: [
        { from: '0', amount: '10', kind: 'fixed', value: 'users' },
        { from: '10', isFromExcluded: true, amount: '2', kind: 'times_value', value: 'users' },
      ],
    },
    'piece',
    '50.00 USD; from 0 users 10.00 USD; above 10 users 2.00 USD each',
  ],
  [{ model: 'formula', formula: '2 * quantity' }, 'piece', 'by formula: 2 * quantity'],
]

for (const [price, unit, sentence] of sentences) {
  test(`a price can be said as: ${sentence}`, () => {
    assert.equal(describePriceModel(price, 'USD', unit), sentence)
  })
}

test('a price is said with the decimals of its currency, and all that it has', () => {
  assert.equal(describePriceModel({ model: 'flat', amount: '1200' }, 'JPY', 'month'), '1,200 JPY')
  assert.equal(describePriceModel({ model: 'flat', amount: '1.5' }, 'KWD', 'month'), '1.500 KWD')
})
