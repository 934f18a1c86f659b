import assert from 'node:assert/strict'
import test from 'node:test'
import { describeUsageFilter, takesUsage, type UsageCondition } from '#domain/usage-filter.ts'

const eu: UsageCondition = { property: 'region', is: ['eu'] }
const others: UsageCondition = { property: 'region', isNot: ['eu', 'us'] }

test('a condition asks for its property either way; without conditions everything is taken', () => {
  const takes = (filter: readonly UsageCondition[]) =>
    [{ region: 'eu' }, { region: 'asia' }, { region: 'us' }, { plan: 'eu' }, null].map((of) =>
      takesUsage(filter, of),
    )
  assert.deepEqual(takes([]), [true, true, true, true, true])
  assert.deepEqual(takes([eu]), [true, false, false, false, false])
  assert.deepEqual(takes([others]), [false, true, false, false, false])
  assert.deepEqual(takes([eu, others]), [false, false, false, false, false])
})

test('a filter is said in words', () => {
  assert.equal(describeUsageFilter([eu, others]), 'region is eu, and region is not eu or us')
})
