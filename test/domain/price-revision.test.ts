import assert from 'node:assert/strict'
import test from 'node:test'
import { planPriceRevision, type RevisableLine } from '#domain/price-revision.ts'
import { defaultTerms } from '#domain/terms.ts'
import { aLine } from './line-fixture.ts'

const price = { model: 'per_unit', unitAmount: '10' } as const
const fivePercent = { startsOn: '2026-07-01', today: '2026-05-01', revision: { percent: '5' } } as const

function revisable(id: string, differences: Partial<RevisableLine> = {}): RevisableLine {
  return { id, line: aLine(), price, terms: defaultTerms, ...differences }
}

test('10.00 and 5 % from 1 July is 10.00 in June and 10.50 from July, by a successor line', () => {
  const [revised] = planPriceRevision([revisable('a')], fivePercent).revised
  assert.ok(revised)
  assert.deepEqual(revised.newPrice, { model: 'per_unit', unitAmount: '10.5' })
  assert.deepEqual(revised.oldPrice, price)
  assert.equal(revised.change.line.endsOn, '2026-07-01')
  assert.equal(revised.change.successor?.startsOn, '2026-07-01')
})

test('a line that begins later has the new price from its own first day', () => {
  const line = aLine({ startsOn: '2026-09-01' })
  const [revised] = planPriceRevision([revisable('a', { line })], fivePercent).revised
  assert.deepEqual(
    [revised?.change.line.endsOn, revised?.change.successor?.startsOn],
    ['2026-09-01', '2026-09-01'],
  )
})

test('a revision names each line that it passes by, and why', () => {
  const plan = planPriceRevision(
    [
      revisable('never', { terms: { ...defaultTerms, isNeverRevised: true } }),
      revisable('read again', { terms: { ...defaultTerms, pricing: 'reevaluated' } }),
      revisable('ended', { line: aLine({ endsOn: '2026-07-01' }) }),
      revisable('cancelled', { line: aLine({ isCancelled: true }) }),
      revisable('revised'),
    ],
    fivePercent,
  )
  assert.deepEqual(
    plan.revised.map(({ id }) => id),
    ['revised'],
  )
  assert.deepEqual(plan.passedBy, [
    { id: 'never', reason: 'it is never revised' },
    { id: 'read again', reason: 'its price is read from the lists at each period' },
    { id: 'ended', reason: 'it ends on 2026-07-01' },
    { id: 'cancelled', reason: 'it is cancelled' },
  ])
})
