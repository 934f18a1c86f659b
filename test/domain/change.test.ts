import assert from 'node:assert/strict'
import test from 'node:test'
import {
  decideChange,
  lineEndsOn,
  periodEndAfter,
  priceForInterval,
  servedFrom,
  type Plan,
} from '#domain/change.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { defaultTerms, type Terms } from '#domain/terms.ts'

const users: Plan = {
  productCode: 'odoo-user',
  version: 1,
  billingType: 'threshold',
  interval: { count: 1, unit: 'month' },
  quantity: '5',
  unit: 'user',
  price: perUnitPrice('20'),
}
const month = { count: 1, unit: 'month' } as const
const year = { count: 12, unit: 'month' } as const
const april = { today: '2026-04-10', periodEnd: '2026-05-01' }

function decide(
  wanted: Partial<Plan>,
  options: { terms?: Partial<Terms>; startsOn?: string; line?: Plan } = {},
) {
  const line = { ...(options.line ?? users), terms: { ...defaultTerms, ...options.terms } }
  return decideChange(line, { ...line, ...wanted }, { ...april, startsOn: options.startsOn })
}

test('more takes effect on the day of the change', () => {
  assert.deepEqual(decide({ quantity: '10' }), { direction: 'upgrade', effectiveOn: '2026-04-10' })
})

test('less takes effect at the end of the period that is paid for', () => {
  assert.deepEqual(decide({ quantity: '4' }), { direction: 'downgrade', effectiveOn: '2026-05-01' })
})

test('a higher or equal price a year is an upgrade, whatever the recurrence', () => {
  const yearly = (amount: string) => decide({ price: perUnitPrice(amount), interval: year }).direction
  assert.equal(yearly('300'), 'upgrade')
  assert.equal(yearly('240'), 'upgrade')
  assert.equal(yearly('200'), 'downgrade')
})

test('less of a dearer product that comes to more a year is an upgrade', () => {
  const dearer = { productCode: 'odoo-enterprise', quantity: '3', price: perUnitPrice('50') }
  assert.deepEqual(decide(dearer), { direction: 'upgrade', effectiveOn: '2026-04-10' })
})

test('what is metered is compared by the price of one unit', () => {
  const line: Plan = { ...users, billingType: 'usage', quantity: '0' }
  assert.equal(decide({ price: perUnitPrice('19') }, { line }).direction, 'downgrade')
  assert.equal(decide({ price: perUnitPrice('21') }, { line }).direction, 'upgrade')
})

test('the terms of the line say when either direction takes effect, or rule it out', () => {
  const atTheEnd = { upgrade: 'period_end', downgrade: 'now' } as const
  assert.equal(decide({ quantity: '10' }, { terms: atTheEnd }).effectiveOn, '2026-05-01')
  assert.equal(decide({ quantity: '4' }, { terms: atTheEnd }).effectiveOn, '2026-04-10')
  assert.throws(() => decide({ quantity: '4' }, { terms: { downgrade: 'not_allowed' } }), {
    code: 'change_not_allowed',
  })
})

test('a later day may be asked for, one before the terms allow it or before today may not', () => {
  assert.equal(decide({ quantity: '10' }, { startsOn: '2026-04-20' }).effectiveOn, '2026-04-20')
  assert.throws(() => decide({ quantity: '4' }, { startsOn: '2026-04-20' }), { code: 'change_not_allowed' })
  assert.throws(() => decide({ quantity: '10' }, { startsOn: '2026-04-09' }), { code: 'date_range_invalid' })
})

test('the same quantity, however it is written, is no change', () => {
  assert.throws(() => decide({ quantity: '5' }), { code: 'quantity_unchanged' })
  assert.throws(() => decide({ quantity: '5.0' }), { code: 'quantity_unchanged' })
})

test('a quantity that is none, or not whole, is refused', () => {
  assert.throws(() => decide({ quantity: '0' }), { code: 'quantity_invalid' })
  assert.throws(() => decide({ quantity: '-1' }), { code: 'quantity_invalid' })
  assert.throws(() => decide({ quantity: '5.5' }), { code: 'quantity_not_whole' })
})

test('what is metered or paid once has no quantity to change', () => {
  const metered: Plan = { ...users, billingType: 'usage', quantity: '0' }
  assert.throws(() => decide({ quantity: '10' }, { line: metered }), { code: 'action_not_allowed' })
  assert.throws(() => decide({ quantity: '10' }, { line: { ...users, interval: null } }), {
    code: 'action_not_allowed',
  })
})

test('what recurs does not become a one-time fee', () => {
  assert.throws(() => decide({ productCode: 'setup', interval: null }), { code: 'change_not_allowed' })
})

test('the price of a longer interval is that of so many shorter ones', () => {
  assert.deepEqual(
    priceForInterval(perUnitPrice('20'), month, { count: 3, unit: 'month' }),
    perUnitPrice('60'),
  )
  assert.deepEqual(priceForInterval(perUnitPrice('240'), year, month), perUnitPrice('20'))
  assert.throws(() => priceForInterval(perUnitPrice('20'), month, { count: 7, unit: 'day' }), {
    code: 'price_missing_in_currency',
  })
})

test('new terms serve what was agreed from their day on, in one piece but for the holes of pauses', () => {
  const planned = [
    { start: '2026-04-01', end: '2026-05-01' },
    { start: '2026-05-01', end: null },
  ]
  assert.deepEqual(servedFrom(planned, '2026-04-10'), [{ start: '2026-04-10', end: null }])
  const paused = [
    { start: '2026-04-01', end: '2026-04-20' },
    { start: '2026-04-25', end: null },
  ]
  assert.deepEqual(servedFrom(paused, '2026-04-10'), [
    { start: '2026-04-10', end: '2026-04-20' },
    { start: '2026-04-25', end: null },
  ])
  assert.deepEqual(servedFrom(paused, '2026-04-22'), [{ start: '2026-04-25', end: null }])
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
