import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { takeOf, type Allowance } from '#domain/pace.ts'

const pace = { perSecond: 10, burst: 20 }

test('a burst is let in at once, then so much a second; who is told to wait and waits is let in', () => {
  let allowance: Allowance | undefined
  const ask = (cost: number, nowMs: number): number => {
    const answer = takeOf(pace, allowance, { cost, nowMs })
    ;({ allowance } = answer)
    return answer.waitMs
  }
  assert.equal(ask(20, 1_000), 0)
  assert.equal(ask(1, 1_000), 100)
  assert.equal(ask(1, 1_099), 1)
  assert.equal(ask(1, 1_100), 0)
  assert.equal(ask(20, 1_100), 2_000)
  assert.equal(ask(20, 3_100), 0)
  // A clock that goes back gives nothing, and takes nothing.
  assert.equal(ask(1, 0), 100)
  assert.equal(ask(1, 3_200), 0)
})

test('whatever is asked and when, no more is let in than the burst and what the time gives', () => {
  const asked = fc.record({ afterMs: fc.nat(500), cost: fc.integer({ min: 1, max: 20 }) })
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 100 }), (asks) => {
      let allowance: Allowance | undefined
      let nowMs = 0
      let taken = 0
      for (const { afterMs, cost } of asks) {
        nowMs += afterMs
        const answer = takeOf(pace, allowance, { cost, nowMs })
        ;({ allowance } = answer)
        if (answer.waitMs === 0) taken += cost
      }
      assert.ok(taken <= pace.burst + (nowMs * pace.perSecond) / 1_000 + 1e-6)
    }),
  )
})

test('more than the burst can never be let in, and is not asked for', () => {
  assert.throws(() => takeOf(pace, undefined, { cost: 21, nowMs: 0 }), /fits into the burst/)
})
