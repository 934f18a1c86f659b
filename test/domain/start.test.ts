import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { addDays, compareDates, type IntervalUnit } from '#domain/calendar.ts'
import { startOn, type StartMethod } from '#domain/start.ts'

const onFifteenthOfAugust: [StartMethod, IntervalUnit, number | null, string][] = [
  ['now', 'month', null, '2026-08-15'],
  ['this_period_start', 'month', null, '2026-08-01'],
  ['this_period_end', 'quarter', null, '2026-09-30'],
  ['next_period_start', 'month', null, '2026-09-01'],
  ['next_period_start', 'half_year', null, '2027-01-01'],
  ['next_period_start', 'week', null, '2026-08-17'],
  ['next_period_start', 'day', null, '2026-08-16'],
  ['next_period_end', 'year', null, '2026-12-31'],
  ['next_period_start', 'year', 1, '2027-01-01'],
  ['this_period_start', 'year', 1, '2026-01-01'],
  ['this_period_start', 'quarter', 2, '2026-08-01'],
  ['next_period_start', 'quarter', 2, '2026-11-01'],
  ['next_period_start', 'quarter', 3, '2026-09-01'],
  ['next_period_end', 'quarter', 2, '2026-08-31'],
  ['this_period_end', 'half_year', 4, '2026-10-31'],
  ['next_period_start', 'quarter', 11, '2026-11-01'],
]

for (const [method, unit, month, expected] of onFifteenthOfAugust) {
  const forced = month === null ? '' : `, month ${month}`
  test(`ordered on 15 August, ${method} by the ${unit}${forced} begins on ${expected}`, () => {
    assert.equal(startOn(method, '2026-08-15', unit, month), expected)
  })
}

test('the end of the next period on the last day of this one is that of the next', () => {
  assert.equal(startOn('next_period_end', '2026-08-31', 'month'), '2026-09-30')
})

test('a month that the year does not have is refused', () => {
  for (const month of [0, 13, 1.5]) {
    assert.throws(() => startOn('now', '2026-08-15', 'year', month), { code: 'field_invalid' })
  }
})

test('what begins with the next period is always still to come', () => {
  const anyDate = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2000-01-01', days))
  const anyUnit = fc.constantFrom<IntervalUnit>(
    'day',
    'week',
    'month',
    'month_last_day',
    'quarter',
    'half_year',
    'year',
  )
  const anyMonth = fc.option(fc.integer({ min: 1, max: 12 }))
  const anyMethod = fc.constantFrom<StartMethod>('next_period_start', 'next_period_end')
  fc.assert(
    fc.property(anyDate, anyUnit, anyMonth, anyMethod, (today, unit, month, method) => {
      assert.ok(compareDates(startOn(method, today, unit, month), today) > 0)
    }),
  )
})
