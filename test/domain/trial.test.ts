import assert from 'node:assert/strict'
import test from 'node:test'
import { trialNoticeOn, trialOf } from '#domain/trial.ts'

test('C-42 15 days from 3 January are free until 18 January, which is told on the 15th', () => {
  const trial = trialOf([{ trialDays: 15 }], '2026-01-03')
  assert.deepEqual(trial, { endsOn: '2026-01-18', becomes: 'bill' })
  assert.equal(trialNoticeOn('2026-01-18'), '2026-01-15')
})

test('nothing free is no trial', () => {
  assert.equal(trialOf([], '2026-01-03'), null)
  assert.equal(trialOf([{}, { trialEnd: 'cancel' }], '2026-01-03'), null)
})

test('where lines differ, the first that suspends or ends the whole decides, then the last that costs something', () => {
  const bill = { trialDays: 30 }
  const suspend = { trialDays: 10, trialEnd: 'suspend' } as const
  const cancel = { trialDays: 20, trialEnd: 'cancel' } as const
  const of = (...lines: Parameters<typeof trialOf>[0]) => trialOf(lines, '2026-01-01')
  assert.deepEqual(of(bill, cancel, suspend), { endsOn: '2026-01-11', becomes: 'suspend' })
  assert.deepEqual(of(cancel, bill), { endsOn: '2026-01-21', becomes: 'cancel' })
  assert.deepEqual(of({ ...suspend, trialDays: 20 }, cancel), { endsOn: '2026-01-21', becomes: 'cancel' })
  assert.deepEqual(of({ trialDays: 40 }, bill, {}), { endsOn: '2026-02-10', becomes: 'bill' })
})
