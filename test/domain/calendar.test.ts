import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  addDays,
  billingInterval,
  compareDates,
  cycleBoundary,
  cycleIndexOn,
  cyclePeriod,
  dateIn,
  daysIn,
  fullCycle,
  intersect,
  startOfDay,
  type BillingInterval,
  type Recurrence,
} from '#domain/calendar.ts'

const monthly: BillingInterval = { count: 1, unit: 'month' }
const yearly: BillingInterval = { count: 12, unit: 'month' }

function boundaries(anchor: string, interval: BillingInterval, count: number): string[] {
  return Array.from({ length: count }, (_, n) => cycleBoundary(anchor, interval, n))
}

const nextBoundaries: [recurrence: Recurrence, expected: string][] = [
  [{ count: 1, unit: 'day' }, '2026-01-06'],
  [{ count: 1, unit: 'week' }, '2026-01-12'],
  [{ count: 2, unit: 'week' }, '2026-01-19'],
  [{ count: 1, unit: 'month' }, '2026-02-05'],
  [{ count: 1, unit: 'month_last_day' }, '2026-02-01'],
  [{ count: 2, unit: 'month_last_day' }, '2026-03-01'],
  [{ count: 1, unit: 'quarter' }, '2026-04-05'],
  [{ count: 1, unit: 'half_year' }, '2026-07-05'],
  [{ count: 1, unit: 'year' }, '2027-01-05'],
  [{ count: 3, unit: 'year' }, '2029-01-05'],
]

for (const [recurrence, expected] of nextBoundaries) {
  test(`every ${recurrence.count} ${recurrence.unit} from 5 January begins anew on ${expected}`, () => {
    assert.equal(cycleBoundary('2026-01-05', billingInterval(recurrence), 1), expected)
  })
}

test('intervals are compared by length: a quarter is three months, two weeks are fourteen days', () => {
  assert.deepEqual(billingInterval({ count: 1, unit: 'quarter' }), { count: 3, unit: 'month' })
  assert.deepEqual(billingInterval({ count: 2, unit: 'half_year' }), yearly)
  assert.deepEqual(billingInterval({ count: 2, unit: 'week' }), { count: 14, unit: 'day' })
})

test('a recurrence that is no whole number from 1 is refused', () => {
  for (const count of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => billingInterval({ count, unit: 'month' }), { code: 'recurrence_invalid' })
  }
})

test('a day that the month lacks becomes its last day, and comes back', () => {
  assert.deepEqual(boundaries('2027-01-31', monthly, 5), [
    '2027-01-31',
    '2027-02-28',
    '2027-03-31',
    '2027-04-30',
    '2027-05-31',
  ])
})

test('a yearly cycle from 29 February finds it again in the next leap year', () => {
  assert.deepEqual(boundaries('2024-02-29', yearly, 5), [
    '2024-02-29',
    '2025-02-28',
    '2026-02-28',
    '2027-02-28',
    '2028-02-29',
  ])
})

test('with month_last_day every boundary after the first is the first of a month', () => {
  assert.deepEqual(boundaries('2026-01-05', { count: 1, unit: 'month_last_day' }, 4), [
    '2026-01-05',
    '2026-02-01',
    '2026-03-01',
    '2026-04-01',
  ])
})

for (const day of [29, 30, 31]) {
  test(`thirteen cycles anchored on day ${day} do not drift`, () => {
    for (const month of ['2025-01', '2025-03', '2026-12', '2027-08']) {
      const anchor = `${month}-${day}`
      const after = cycleBoundary(anchor, monthly, 12)
      assert.equal(after, `${Number(anchor.slice(0, 4)) + 1}${anchor.slice(4)}`)
      const dayOfCycle13 = Number(cycleBoundary(anchor, monthly, 13).slice(8))
      assert.equal(dayOfCycle13, Math.min(day, daysOfMonth(cycleBoundary(anchor, monthly, 13))))
    }
  })
}

function daysOfMonth(date: string): number {
  return Temporal.PlainDate.from(date).daysInMonth
}

const anyDate = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2000-01-01', days))
const anyInterval = fc.record<BillingInterval>({
  count: fc.integer({ min: 1, max: 24 }),
  unit: fc.constantFrom<BillingInterval['unit']>('day', 'month', 'month_last_day'),
})

test('every date from the anchor on lies in exactly the cycle of its index', () => {
  const daysAfter = fc.integer({ min: 0, max: 4_000 })
  fc.assert(
    fc.property(anyDate, anyInterval, daysAfter, (anchor, interval, days) => {
      const date = addDays(anchor, days)
      const period = cyclePeriod(anchor, interval, cycleIndexOn(anchor, interval, date))
      assert.ok(compareDates(period.start, date) <= 0 && compareDates(date, period.end) < 0)
    }),
  )
})

test('the index of a cycle is that of its first and of its last day', () => {
  fc.assert(
    fc.property(anyDate, anyInterval, fc.integer({ min: 0, max: 200 }), (anchor, interval, index) => {
      const period = cyclePeriod(anchor, interval, index)
      assert.equal(cycleIndexOn(anchor, interval, period.start), index)
      assert.equal(cycleIndexOn(anchor, interval, addDays(period.end, -1)), index)
      assert.equal(cycleIndexOn(anchor, interval, period.end), index + 1)
    }),
  )
})

test('cycles follow each other without hole or overlap', () => {
  fc.assert(
    fc.property(anyDate, anyInterval, fc.integer({ min: 0, max: 200 }), (anchor, interval, index) => {
      assert.equal(cyclePeriod(anchor, interval, index).end, cyclePeriod(anchor, interval, index + 1).start)
      assert.ok(daysIn(cyclePeriod(anchor, interval, index)) > 0)
    }),
  )
})

test('a date before the anchor counts as of the first cycle', () => {
  assert.equal(cycleIndexOn('2026-03-15', monthly, '2026-01-01'), 0)
  assert.equal(cycleIndexOn('2026-03-15', monthly, '2026-03-14'), 0)
})

test('periods share their common days, and none when one ends where the other begins', () => {
  const may = { start: '2026-05-01', end: '2026-06-01' }
  assert.deepEqual(intersect({ start: '2026-05-10', end: '2026-07-01' }, may), {
    start: '2026-05-10',
    end: '2026-06-01',
  })
  assert.deepEqual(intersect({ start: '2026-01-01', end: null }, may), may)
  assert.equal(intersect({ start: '2026-06-01', end: null }, may), undefined)
  assert.equal(intersect({ start: '2026-05-10', end: '2026-05-10' }, may), undefined)
})

test('February of a leap year has 29 days, of another year 28', () => {
  assert.equal(daysIn({ start: '2028-02-01', end: '2028-03-01' }), 29)
  assert.equal(daysIn({ start: '2100-02-01', end: '2100-03-01' }), 28)
})

test('an instant has the calendar date of its time zone', () => {
  assert.equal(dateIn('Europe/Paris', '2026-03-31T23:30:00Z'), '2026-04-01')
  assert.equal(dateIn('UTC', '2026-03-31T23:30:00Z'), '2026-03-31')
  assert.equal(dateIn('America/Montreal', '2026-01-01T04:59:59Z'), '2025-12-31')
})

test('a day begins at its own midnight, whatever summer time does', () => {
  assert.equal(startOfDay('Europe/Paris', '2026-03-29'), '2026-03-28T23:00:00Z')
  assert.equal(startOfDay('Europe/Paris', '2026-03-30'), '2026-03-29T22:00:00Z')
  assert.equal(startOfDay('Europe/Paris', '2026-10-26'), '2026-10-25T23:00:00Z')
})

test('a day of 23 hours and a day of 25 hours each count as one day', () => {
  for (const [date, hours] of [
    ['2026-03-29', 23],
    ['2026-10-25', 25],
  ] as const) {
    const day = { start: date, end: addDays(date, 1) }
    const begins = Temporal.Instant.from(startOfDay('Europe/Paris', day.start))
    assert.equal(begins.until(startOfDay('Europe/Paris', day.end)).total('hours'), hours)
    assert.equal(daysIn(day), 1)
  }
})

test('boundaries have negative numbers before the anchor, and remember its day too', () => {
  assert.equal(cycleBoundary('2026-03-31', monthly, -1), '2026-02-28')
  assert.equal(cycleBoundary('2026-03-31', monthly, -2), '2026-01-31')
  assert.throws(() => cycleBoundary('2026-03-31', { count: 1, unit: 'month_last_day' }, -1), /from 0/)
})

test('a day whose midnight is skipped begins when the clocks have changed', () => {
  // Beirut moves from 00:00 to 01:00 on the last Sunday of March.
  assert.equal(startOfDay('Asia/Beirut', '2026-03-29'), '2026-03-28T22:00:00Z')
})

test('a day begins on itself in every time zone', () => {
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Paris',
    'America/New_York',
    'Asia/Kolkata',
    'Pacific/Apia',
    'Asia/Beirut',
  )
  fc.assert(
    fc.property(zone, anyDate, (timeZone, date) => {
      // Apia left out one day of 2011; it has no beginning.
      fc.pre(!(timeZone === 'Pacific/Apia' && date === '2011-12-30'))
      assert.equal(dateIn(timeZone, startOfDay(timeZone, date)), date)
    }),
  )
})

test('with month_last_day a first period inside a month is a part of that month', () => {
  const interval: BillingInterval = { count: 1, unit: 'month_last_day' }
  assert.deepEqual(fullCycle('2026-01-05', interval, 0), { start: '2026-01-01', end: '2026-02-01' })
  assert.deepEqual(fullCycle('2026-01-05', interval, 1), { start: '2026-02-01', end: '2026-03-01' })
  assert.deepEqual(fullCycle('2026-01-05', monthly, 0), { start: '2026-01-05', end: '2026-02-05' })
})

test('days, months and order are those of Temporal, leap years and ends of months included', () => {
  const date = fc.integer({ min: -50_000, max: 50_000 }).map((days) => addDays('2000-02-29', days))
  const months = fc.integer({ min: -1_200, max: 1_200 })
  fc.assert(
    fc.property(date, date, months, (first, second, n) => {
      const from = Temporal.PlainDate.from(first)
      assert.equal(cycleBoundary(first, monthly, n), from.add({ months: n }).toString())
      assert.equal(addDays(first, n), from.add({ days: n }).toString())
      assert.equal(daysIn({ start: first, end: second }), from.until(second, { largestUnit: 'days' }).days)
      assert.equal(compareDates(first, second), Temporal.PlainDate.compare(first, second))
    }),
    { numRuns: 2_000 },
  )
})
