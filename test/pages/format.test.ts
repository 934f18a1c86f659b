import assert from 'node:assert/strict'
import test from 'node:test'
import {
  formatAmount,
  formatCount,
  formatDistance,
  formatDuration,
  formatInterval,
  formatPeriod,
  formatQuantity,
  formatUnitPrice,
} from '#api/pages/format.ts'

test('a half-open period is printed by its first and its last day', () => {
  const cases: [string, string, string][] = [
    ['2026-03-01', '2026-04-01', '1 to 31 March 2026'],
    ['2026-02-28', '2026-03-31', '28 February to 30 March 2026'],
    ['2026-12-31', '2027-01-31', '31 December 2026 to 30 January 2027'],
    ['2028-02-29', '2028-03-01', '29 February 2028'],
  ]
  for (const [start, end, text] of cases) assert.equal(formatPeriod(start, end), text)
})

test('an amount has all decimals of its currency, grouped, with a real minus', () => {
  assert.equal(formatAmount(123_456_789, 'USD'), '1,234,567.89 USD')
  assert.equal(formatAmount(-1_050, 'EUR'), '−10.50 EUR')
  assert.equal(formatAmount(1_235, 'JPY'), '1,235 JPY')
  assert.equal(formatAmount(5, 'KWD'), '0.005 KWD')
})

test('a unit price shows every decimal that it has, and never fewer than its currency', () => {
  assert.equal(formatUnitPrice('1', 'USD'), '1.00 USD')
  assert.equal(formatUnitPrice('1234.5', 'USD'), '1,234.50 USD')
  assert.equal(formatUnitPrice('0.0000012345', 'USD'), '0.0000012345 USD')
  assert.equal(formatUnitPrice('7', 'JPY'), '7 JPY')
})

test('a quantity loses idle zeros only, and a tiny one is not called nothing', () => {
  assert.equal(formatQuantity('5.000'), '5')
  assert.equal(formatQuantity('100'), '100')
  assert.equal(formatQuantity('0.25000000001'), '0.25')
  assert.equal(formatQuantity('0.00000000001'), 'less than 0.000001')
  assert.equal(formatCount('1', 'user'), '1 user')
  assert.equal(formatCount('5', 'user'), '5 users')
  assert.equal(formatCount('5', 'GiB'), '5 GiB')
})

test('an interval is said as people say it', () => {
  assert.equal(formatInterval({ count: 1, unit: 'month' }), 'a month')
  assert.equal(formatInterval({ count: 3, unit: 'month' }), '3 months')
  assert.equal(formatInterval({ count: 12, unit: 'month' }), 'a year')
  assert.equal(formatInterval({ count: 1, unit: 'month_last_day' }), 'a month')
  assert.equal(formatInterval({ count: 7, unit: 'day' }), '7 days')
})

test('a duration and a distance are short, and say which way', () => {
  assert.equal(formatDuration(412), '0.4 s')
  assert.equal(formatDuration(125_000), '2 min 5 s')
  assert.equal(formatDistance('2026-03-01T12:00:00Z', '2026-03-01T12:00:02Z'), 'just now')
  assert.equal(formatDistance('2026-03-01T12:00:00Z', '2026-03-01T12:04:59Z'), '4 min ago')
  assert.equal(formatDistance('2026-03-03T12:00:00Z', '2026-03-01T12:00:00Z'), 'in 2 days')
})
