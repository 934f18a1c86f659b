import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { BusinessError } from '#domain/errors.ts'
import type { Price, PriceTier } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { sumSteps, type RatingContext } from '#domain/pricing/rated-price.ts'
import { anyPrice, anyQuantity, anyTiers } from './price-generator.ts'

function amount(price: Price, quantity: string | number, context: RatingContext = {}): string {
  return ratePrice(price, new Big(quantity), context).amount.toFixed()
}

const twoTiers: PriceTier[] = [
  { upTo: '10', unitAmount: '5.00' },
  { upTo: null, unitAmount: '4.00' },
]
const volume: Price = { model: 'volume', tiers: twoTiers }
const graduated: Price = { model: 'graduated', tiers: twoTiers }

const examples: [says: string, price: Price, quantity: string, amount: string][] = [
  ['0.0000012345 × 1,000,000 is not rounded', perUnit('0.0000012345'), '1000000', '1.2345'],
  ['0.60 per 1,000 requests bills 1,500 exactly', { ...perUnit('0.60'), perUnits: '1000' }, '1500', '0.9'],
  ['a flat price is the same at any quantity', { model: 'flat', amount: '5.00' }, '17', '5'],
  ['volume: 12 units at the tier reached', volume, '12', '48'],
  ['graduated: 12 units each at its own tier', graduated, '12', '58'],
  ['volume: a bound belongs to the tier below it', volume, '10', '50'],
  ['graduated: a bound belongs to the tier below it', graduated, '10', '50'],
  ['volume: a fraction above a bound is in the next tier', volume, '10.5', '42'],
  ['graduated: only the fraction is in the next tier', graduated, '10.5', '52'],
  ['stairstep: 10 units stand on the first step', stairstep(), '10', '20'],
  ['stairstep: 11 units stand on the second', stairstep(), '11', '60'],
  ['package: nothing used is no package', packages(), '0', '0'],
  ['package: one unit is a started package', packages(), '1', '5'],
  ['package: 101 units are two packages', packages(), '101', '10'],
  ['package: rounded down, a started one is free', { ...packages(), rounding: 'down' }, '199', '5'],
  ['package: a share of one costs its share', { ...packages(), rounding: 'exact' }, '150', '7.5'],
  ['package: a minimum is billed without use', { ...packages(), minimumPackages: 1 }, '0', '5'],
  ['package: whole packs of 1,000 requests', packages('1000', '0.60'), '1500', '1.2'],
  ['10 GiB are included, 13 used', { ...perUnit('1.00'), includedQuantity: '10' }, '13', '3'],
  ['less than included is nothing', { ...perUnit('1.00'), includedQuantity: '10' }, '7', '0'],
  [
    'no more than the greatest quantity is billed',
    { ...perUnit('1.00'), greatestQuantity: '50' },
    '80',
    '50',
  ],
  ['a minimum of 20.00 raises 12.00', { ...perUnit('1.00'), leastAmount: '20.00' }, '12', '20'],
  ['a maximum of 200.00 cuts 250.00', { ...perUnit('1.00'), greatestAmount: '200.00' }, '250', '200'],
  ['above the commitment units are dearer', commitment(), '120', '130'],
  ['below the commitment only use is billed', commitment(), '80', '80'],
  ['with a true-up the commitment is owed', { ...commitment(), isTruedUp: true }, '80', '100'],
]

for (const [says, price, quantity, expected] of examples) {
  test(`${says}: ${quantity} give ${expected}`, () => assert.equal(amount(price, quantity), expected))
}

function perUnit(unitAmount: string): Price & { model: 'per_unit' } {
  return { model: 'per_unit', unitAmount }
}

function stairstep(): Price {
  const tiers = [
    { upTo: '10', flatAmount: '20.00' },
    { upTo: '50', flatAmount: '60.00' },
    { upTo: null, flatAmount: '100.00' },
  ]
  return { model: 'stairstep', tiers }
}

function packages(packageSize = '100', packageAmount = '5.00'): Price & { model: 'package' } {
  return { model: 'package', packageSize, packageAmount }
}

function commitment(): Price & { model: 'commitment' } {
  return { model: 'commitment', unitAmount: '1.00', committedQuantity: '100', overageFactor: '1.5' }
}

test('the first tier counts as entered without usage, unless it is written 0 to 0', () => {
  const tiers: PriceTier[] = [
    { upTo: '10', unitAmount: '1', flatAmount: '10.00' },
    { upTo: null, unitAmount: '1' },
  ]
  const leading: PriceTier[] = [{ upTo: '0', unitAmount: '0' }, ...tiers]
  for (const model of ['graduated', 'volume'] as const) {
    assert.equal(amount({ model, tiers }, 0), '10')
    assert.equal(amount({ model, tiers: leading }, 0), '0')
    assert.equal(amount({ model, tiers: leading }, 1), '11')
  }
})

test('the tier of a volume price can be chosen by another quantity than the billed one', () => {
  assert.equal(amount(volume, '6', { tierQuantity: '12' }), '24')
})

test('tiers can count started packages instead of units', () => {
  const tiers: PriceTier[] = [
    { upTo: '2', unitAmount: '3' },
    { upTo: null, unitAmount: '1' },
  ]
  assert.equal(amount({ model: 'graduated', tiers, packageSize: '10' }, 31), '8')
  assert.equal(amount({ model: 'volume', tiers, packageSize: '10' }, 31), '4')
})

test('a graduated percentage bills each part of a value at its own rate', () => {
  const tiers = [
    { upTo: '10', ratePercent: '1', flatAmount: '200' },
    { upTo: null, ratePercent: '2', flatAmount: '300' },
  ]
  assert.equal(amount({ model: 'graduated_percentage', tiers }, 11), '500.12')
})

test('a minimum and a maximum of a usage line hold for the part of the period that was served', () => {
  const boundShare = { numerator: 2, denominator: 29 }
  const least = ratePrice({ ...perUnit('1.00'), leastAmount: '100.00' }, new Big(1), { boundShare })
  assert.equal(least.amount.toFixed(2), '6.90')
  const greatest = ratePrice({ ...perUnit('1.00'), greatestAmount: '29.00' }, new Big(9), { boundShare })
  assert.equal(greatest.amount.toFixed(2), '2.00')
})

test('the explanation names the included quantity, the tiers and the bound that was reached', () => {
  const price: Price = { ...graduated, includedQuantity: '3', greatestAmount: '55' }
  assert.deepEqual(ratePrice(price, new Big(15)).steps, [
    { kind: 'included', quantity: '3' },
    {
      kind: 'tier',
      from: '0',
      upTo: '10',
      quantity: '10',
      unitAmount: '5.00',
      flatAmount: '0',
      amount: '50',
    },
    {
      kind: 'tier',
      from: '10',
      upTo: null,
      quantity: '2',
      unitAmount: '4.00',
      flatAmount: '0',
      amount: '8',
    },
    { kind: 'greatest', bound: '55', amount: '-3' },
  ])
})

const share: Price = { model: 'percentage', ratePercent: '2.9', amountPerEvent: '0.30' }

test('2.9 % + 0.30 of an event worth 100.00 is 3.20', () => {
  assert.equal(amount(share, 100, { events: { kind: 'each', values: ['100.00'] } }), '3.2')
})

test('each event is held within its own least and greatest amount', () => {
  const price: Price = { ...share, ratePercent: '2.99', amountPerEvent: '0', leastPerEvent: '1.75' }
  const events = { kind: 'each', values: ['10', '80', '10000'] } as const
  assert.equal(amount({ ...price, greatestPerEvent: '12' }, 10090, { events }), '16.142')
})

test('the first events and the first of their value are free while both allowances last', () => {
  const price: Price = { model: 'percentage', ratePercent: '1.3', amountPerEvent: '2' }
  const events = { kind: 'counted', count: 4, runningTotals: ['50', '150', '400'] } as const
  const each = { kind: 'each', values: ['50', '100', '250', '400'] } as const
  const cases: [allowance: Partial<Price>, amount: string][] = [
    [{ freeEvents: 3 }, '7.2'],
    [{ freeValue: '250' }, '11.15'],
    [{ freeEvents: 3, freeValue: '250' }, '11.15'],
    [{}, '18.4'],
  ]
  for (const [allowance, expected] of cases) {
    const free = { ...price, ...allowance } as Price
    assert.equal(amount(free, 800, { events }), expected)
    assert.equal(amount(free, 800, { events: each }), expected)
  }
})

test('a price with a least amount per event is not billed without the values of the events', () => {
  assert.throws(
    () =>
      amount({ ...share, leastPerEvent: '1' }, 100, {
        events: { kind: 'counted', count: 2, runningTotals: [] },
      }),
    (error) => error instanceof BusinessError && error.code === 'event_values_missing',
  )
})

test('a formula price sees the quantity and what else is named', () => {
  const price: Price = { model: 'formula', formula: 'max(10, quantity * 0.5 * metric("users").max)' }
  assert.equal(amount(price, 7, { metrics: { users: { max: '4' } } }), '14')
})

test('whatever the price, the amounts of the steps add up to the amount', () => {
  fc.assert(
    fc.property(anyPrice, anyQuantity, (price, quantity) => {
      const rated = ratePrice(price, new Big(quantity))
      assert.equal(sumSteps(rated.steps).toFixed(), rated.amount.toFixed())
      assert.equal(JSON.stringify(structuredClone(rated.steps)), JSON.stringify(rated.steps))
    }),
    { numRuns: 2000 },
  )
})

test('graduated pricing never costs less for more', () => {
  fc.assert(
    fc.property(anyTiers, anyQuantity, anyQuantity, (tiers, first, second) => {
      const [less, more] = [new Big(first), new Big(second)].toSorted((a, b) => a.cmp(b))
      assert.ok(less && more)
      const price: Price = { model: 'graduated', tiers }
      assert.ok(ratePrice(price, less).amount.lte(ratePrice(price, more).amount))
    }),
    { numRuns: 2000 },
  )
})

test('volume pricing at each bound is the price of the tier below it, and just above it that of the next', () => {
  fc.assert(
    fc.property(anyTiers, (tiers) => {
      for (const [index, tier] of tiers.entries()) {
        const next = tiers[index + 1]
        if (tier.upTo === null || !next) continue
        const bound = new Big(tier.upTo)
        const above = bound.plus('0.0001')
        const priced = (quantity: Big, by: PriceTier) =>
          quantity
            .times(by.unitAmount)
            .plus(by.flatAmount ?? 0)
            .toFixed()
        assert.equal(amount({ model: 'volume', tiers }, bound.toFixed()), priced(bound, tier))
        assert.equal(amount({ model: 'volume', tiers }, above.toFixed()), priced(above, next))
      }
    }),
    { numRuns: 1000 },
  )
})
