import assert from 'node:assert/strict'
import test from 'node:test'
import { planStart } from '#domain/order-start.ts'

const today = '2026-08-15'

test('the start of the next month is 1 September, the end of this one 31 August', () => {
  const at = (method: 'next_period_start' | 'this_period_end') =>
    planStart({ kind: 'period', method, month: null }, today, 'month')
  assert.equal(at('next_period_start'), '2026-09-01')
  assert.equal(at('this_period_end'), '2026-08-31')
})

test('a named day is taken as it is, past or to come', () => {
  assert.equal(planStart({ kind: 'date', on: '2026-06-15' }, today, 'month'), '2026-06-15')
  assert.equal(planStart({ kind: 'date', on: '2027-01-01' }, today, 'month'), '2027-01-01')
})

test('a day more than five years away was mistyped', () => {
  const refused = { code: 'date_range_invalid' }
  assert.throws(() => planStart({ kind: 'date', on: '2016-08-15' }, today, 'month'), refused)
  assert.throws(() => planStart({ kind: 'date', on: '2062-08-15' }, today, 'month'), refused)
  assert.equal(planStart({ kind: 'date', on: '2021-08-15' }, today, 'month'), '2021-08-15')
})
