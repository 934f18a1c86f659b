import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { isLimitReached, percentUsed, reachedShares } from '#domain/limit-use.ts'

const reached: readonly [used: string, ceiling: string, percents: number[]][] = [
  ['0', '5', []],
  ['3', '5', []],
  ['4', '5', [80]],
  ['5', '5', [80, 100]],
  ['7', '5', [80, 100]],
  ['7.9999999999', '10', []],
  ['9.9999999999', '10', [80]],
  ['0', '0', [80, 100]],
]

test('of 80 and 100 percent those are reached that are used, and 100 is the limit itself', () => {
  for (const [used, ceiling, percents] of reached) {
    assert.deepEqual(reachedShares({ used, ceiling }, [80, 100]), percents, `${used} of ${ceiling}`)
    assert.equal(isLimitReached({ used, ceiling }), percents.includes(100), `${used} of ${ceiling}`)
  }
})

test('more used is never a smaller share, and a higher ceiling never a larger one', () => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 15n })
  fc.assert(
    fc.property(amount, amount, amount, (used, ceiling, more) => {
      const percent = percentUsed({ used: String(used), ceiling: String(ceiling) })
      assert.ok(percentUsed({ used: String(used + more), ceiling: String(ceiling) }).gte(percent))
      if (ceiling > 0n)
        assert.ok(percentUsed({ used: String(used), ceiling: String(ceiling + more) }).lte(percent))
    }),
  )
})
