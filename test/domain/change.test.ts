import assert from 'node:assert/strict'
import test from 'node:test'
import { decideChange, lineEndsOn, periodEndAfter, type ChangeableLine } from '#domain/change.ts'

const users: ChangeableLine = {
  productCode: 'odoo-user',
  billingType: 'threshold',
  interval: { count: 1, unit: 'month' },
  quantity: '5',
  unit: 'user',
}
const april = { today: '2026-04-10', periodEnd: '2026-05-01' }

test('more takes effect on the day of the change', () => {
  assert.deepEqual(decideChange(users, '10', april), { direction: 'upgrade', effectiveOn: '2026-04-10' })
})

test('less takes effect at the end of the period that is paid for', () => {
  assert.deepEqual(decideChange(users, '4', april), { direction: 'downgrade', effectiveOn: '2026-05-01' })
})

test('the same quantity, however it is written, is no change', () => {
  assert.throws(() => decideChange(users, '5', april), { code: 'quantity_unchanged' })
  assert.throws(() => decideChange(users, '5.0', april), { code: 'quantity_unchanged' })
})

test('a quantity that is none, or not whole, is refused', () => {
  assert.throws(() => decideChange(users, '0', april), { code: 'quantity_invalid' })
  assert.throws(() => decideChange(users, '-1', april), { code: 'quantity_invalid' })
  assert.throws(() => decideChange(users, '5.5', april), { code: 'quantity_not_whole' })
})

test('what is metered or paid once has no quantity to change', () => {
  assert.throws(() => decideChange({ ...users, billingType: 'usage' }, '10', april), {
    code: 'action_not_allowed',
  })
  assert.throws(() => decideChange({ ...users, interval: null }, '10', april), { code: 'action_not_allowed' })
})

test('the period ends with the document whose cycle ends last', () => {
  const monthly = { billingCycleAnchor: '2026-01-31', interval: { count: 1, unit: 'month' } as const }
  const yearly = { billingCycleAnchor: '2025-07-15', interval: { count: 12, unit: 'month' } as const }
  assert.equal(periodEndAfter([monthly], '2026-02-27'), '2026-02-28')
  assert.equal(periodEndAfter([monthly], '2026-02-28'), '2026-03-31')
  assert.equal(periodEndAfter([yearly, monthly], '2026-02-28'), '2026-07-15')
})

test('without a document nothing is paid for beyond today', () => {
  assert.equal(periodEndAfter([], '2026-02-28'), '2026-02-28')
})

test('cancelled at the end of the period, every line ends there', () => {
  const cancel = { when: 'period_end', ...april } as const
  assert.equal(lineEndsOn({ billingType: 'flat', startsOn: '2026-01-01' }, cancel), '2026-05-01')
  assert.equal(lineEndsOn({ billingType: 'usage', startsOn: '2026-01-01' }, cancel), '2026-05-01')
})

test('cancelled now, the day is not billed, but what is metered on it is', () => {
  const cancel = { when: 'now', ...april } as const
  assert.equal(lineEndsOn({ billingType: 'flat', startsOn: '2026-01-01' }, cancel), '2026-04-10')
  assert.equal(lineEndsOn({ billingType: 'usage', startsOn: '2026-01-01' }, cancel), '2026-04-11')
})

test('a line never ends before it starts', () => {
  const cancel = { when: 'now', ...april } as const
  assert.equal(lineEndsOn({ billingType: 'flat', startsOn: '2026-04-15' }, cancel), '2026-04-15')
})
