import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import {
  aggregate,
  bucketMaxima,
  countUnique,
  latestOfEach,
  timeWeightedAverage,
  type Aggregation,
} from '#domain/aggregation.ts'

const bigs = (values: readonly (number | string)[]) => values.map((value) => new Big(value))
const toHundred = Array.from({ length: 100 }, (_, index) => 100 - index)

const cases: [aggregation: Aggregation, values: (number | string)[], value: string][] = [
  [{ kind: 'max' }, [4, 9, 6], '9'],
  [{ kind: 'min' }, [4, 9, 6], '4'],
  [{ kind: 'max' }, [-4, -9], '-4'],
  [{ kind: 'sum' }, [10, 20, 30, 30], '90'],
  [{ kind: 'average' }, [10, 20, 30, 30], '22.5'],
  [{ kind: 'count' }, [10, 20, 30, 30], '4'],
  [{ kind: 'unique_count' }, [10, 20, 30, '30.0'], '3'],
  [{ kind: 'last' }, [4, 9, 6], '6'],
  [{ kind: 'percentile', percent: 95 }, toHundred, '95'],
  [{ kind: 'percentile', percent: 99.1 }, toHundred, '100'],
  [{ kind: 'percentile', percent: 100 }, [4, 9, 6], '9'],
  [{ kind: 'percentile', percent: 1 }, [4, 9, 6], '4'],
]
for (const [aggregation, values, value] of cases) {
  test(`D-12 ${JSON.stringify(aggregation)} of ${values.slice(0, 4).join(', ')}${values.length > 4 ? ', …' : ''} is ${value}`, () => {
    assert.equal(aggregate(bigs(values), aggregation).toFixed(), value)
    assert.equal(aggregate([], aggregation).toFixed(), '0')
  })
}

test('a percentile of 0 or above 100 is an error', () => {
  assert.throws(() => aggregate(bigs([1]), { kind: 'percentile', percent: 0 }), /percentile/)
  assert.throws(() => aggregate(bigs([1]), { kind: 'percentile', percent: 101 }), /percentile/)
})

test('D-12 users are counted once each', () => {
  assert.equal(countUnique(['ana', 'bo', 'ana']), 2)
})

test('an event that is sent again replaces the first', () => {
  const sent = [
    { id: 'a', gb: 5 },
    { id: 'b', gb: 4 },
    { id: 'a', gb: 7 },
  ]
  assert.deepEqual(
    latestOfEach(sent).map(({ gb }) => gb),
    [7, 4],
  )
})

test('D-13 10 GiB for 10 days and 20 GiB for 20 of 30 days are 16.6667 GiB, and bill 5.00 at 0.30', () => {
  const held = [
    { value: new Big(10), duration: 10 },
    { value: new Big(20), duration: 20 },
  ]
  const average = timeWeightedAverage(held, 30)
  assert.equal(average.toFixed(4), '16.6667')
  assert.equal(average.times('0.30').toFixed(2), '5.00')
  assert.throws(() => timeWeightedAverage(held, 0), /needs a time/)
})

test('D-12 the highest of each bucket, and none of an empty one', () => {
  assert.deepEqual(
    bucketMaxima([bigs([8, 4]), [], bigs([10, 5, 9])]).map((value) => value.toNumber()),
    [8, 10],
  )
})

test('average and percentile lie between the lowest and the highest', () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percent) => {
      const [lowest, highest] = [Math.min(...list), Math.max(...list)]
      for (const aggregation of [{ kind: 'average' }, { kind: 'percentile', percent }] as Aggregation[]) {
        const value = aggregate(bigs(list), aggregation)
        assert.ok(value.gte(lowest) && value.lte(highest))
      }
    }),
  )
})
