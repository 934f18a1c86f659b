import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  anchorOn,
  anchorOnBillingDay,
  boundaryAfter,
  boundaryFrom,
  calendarAnchor,
  calendarPeriod,
  moveAnchor,
  passOverPeriods,
  serviceParts,
  stepBoundary,
  type AnchorInForce,
} from '#domain/billing-cycle.ts'
import {
  addDays,
  compareDates,
  cycleBoundary,
  cycleHolding,
  cycleIndexOn,
  fullCycle,
  type BillingInterval,
  type IntervalUnit,
  type Period,
} from '#domain/calendar.ts'

const monthly: BillingInterval = { count: 1, unit: 'month' }
const yearly: BillingInterval = { count: 12, unit: 'month' }

const anyDate = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2000-01-01', days))
const anyInterval = fc.record<BillingInterval>({
  count: fc.integer({ min: 1, max: 24 }),
  unit: fc.constantFrom<BillingInterval['unit']>('day', 'month', 'month_last_day'),
})

function periodsOf(start: string, end: string | null, anchors: AnchorInForce[], until: string): Period[] {
  return serviceParts({ start, end }, anchors, monthly, until).map(({ period }) => period)
}

const calendarPeriods: [unit: IntervalUnit, start: string, end: string][] = [
  ['day', '2026-08-15', '2026-08-16'],
  ['week', '2026-08-10', '2026-08-17'],
  ['month', '2026-08-01', '2026-09-01'],
  ['month_last_day', '2026-08-01', '2026-09-01'],
  ['quarter', '2026-07-01', '2026-10-01'],
  ['half_year', '2026-07-01', '2027-01-01'],
  ['year', '2026-01-01', '2027-01-01'],
]

for (const [unit, start, end] of calendarPeriods) {
  test(`the calendar's ${unit} that holds Saturday, 15 August 2026, is ${start} to ${end}`, () => {
    assert.deepEqual(calendarPeriod('2026-08-15', unit), { start, end })
    assert.equal(calendarAnchor('2026-08-15', unit), start)
    assert.deepEqual(calendarPeriod(start, unit), { start, end })
    assert.deepEqual(calendarPeriod(addDays(end, -1), unit), { start, end })
  })
}

test('a line that joins a document whose day is the 17th begins with a part up to that day', () => {
  const anchor = anchorOnBillingDay('2021-09-25', 17, monthly)
  const parts = serviceParts(
    { start: '2021-09-25', end: null },
    [{ from: '2021-09-25', anchor }],
    monthly,
    '2021-11-01',
  )
  assert.deepEqual(parts, [
    { period: { start: '2021-09-25', end: '2021-10-17' }, cycle: { start: '2021-09-17', end: '2021-10-17' } },
    { period: { start: '2021-10-17', end: '2021-11-17' }, cycle: { start: '2021-10-17', end: '2021-11-17' } },
  ])
})

test('a billing day of 31 in a start of April comes back as 31 in May', () => {
  const anchor = anchorOnBillingDay('2012-04-30', 31, monthly)
  assert.equal(boundaryFrom(anchor, monthly, '2012-04-30'), '2012-04-30')
  assert.equal(boundaryAfter(anchor, monthly, '2012-04-30'), '2012-05-31')
})

test('a billing day that is past in the own month of a yearly start waits for a year', () => {
  const anchor = anchorOnBillingDay('2012-01-31', 30, yearly)
  assert.equal(boundaryFrom(anchor, yearly, '2012-01-31'), '2013-01-30')
})

test('a yearly billing day of 29 in February finds the leap years again', () => {
  const anchor = anchorOnBillingDay('2097-02-10', 29, yearly)
  assert.equal(boundaryFrom(anchor, yearly, '2097-02-10'), '2097-02-28')
  assert.equal(boundaryFrom(anchor, yearly, '2103-03-01'), '2104-02-29')
})

test('cycles counted in days begin at the start, whatever the billing day', () => {
  assert.equal(anchorOnBillingDay('2012-01-16', 17, { count: 30, unit: 'day' }), '2012-01-16')
})

test('a billing day that no month has is refused', () => {
  for (const day of [0, 32, 1.5]) {
    assert.throws(() => anchorOnBillingDay('2026-01-01', day, monthly), { code: 'field_invalid' })
  }
})

test('the first boundary of a billing day lies within one period of the start, on that day or the last of its month', () => {
  fc.assert(
    fc.property(
      anyDate,
      fc.integer({ min: 1, max: 31 }),
      fc.integer({ min: 1, max: 24 }),
      (start, day, count) => {
        const interval: BillingInterval = { count, unit: 'month' }
        const anchor = anchorOnBillingDay(start, day, interval)
        for (let date = start, n = 0; n < 30; n += 1) {
          date = boundaryFrom(anchor, interval, date)
          const { daysInMonth, day: ofDate } = Temporal.PlainDate.from(date)
          assert.equal(ofDate, Math.min(day, daysInMonth))
          date = addDays(date, 1)
        }
        const first = boundaryFrom(anchor, interval, start)
        const own = Temporal.PlainDate.from(start).with({ day }).toString()
        if (compareDates(own, start) >= 0) assert.equal(first, own)
        else assert.equal(first, stepBoundary(own, interval, day))
      },
    ),
  )
})

test('a step from a boundary remembers the billing day', () => {
  assert.equal(stepBoundary('2028-02-29', monthly, 31), '2028-03-31')
  assert.equal(stepBoundary('2024-04-29', { count: 2, unit: 'month' }, 29), '2024-06-29')
  assert.equal(stepBoundary('2026-01-05', { count: 14, unit: 'day' }, 31), '2026-01-19')
})

test('the cycle that holds a date is the one of its index, and reaches back before the anchor', () => {
  fc.assert(
    fc.property(anyDate, anyInterval, fc.integer({ min: -4_000, max: 4_000 }), (anchor, interval, days) => {
      const date = addDays(anchor, days)
      const cycle = cycleHolding(anchor, interval, date)
      assert.ok(compareDates(cycle.start, date) <= 0 && compareDates(date, cycle.end) < 0)
      assert.deepEqual(cycleHolding(anchor, interval, cycle.start), cycle)
      assert.equal(cycleHolding(anchor, interval, cycle.end).start, cycle.end)
      if (days >= 0) {
        assert.deepEqual(fullCycle(anchor, interval, cycleIndexOn(anchor, interval, date)), cycle)
      }
    }),
  )
})

test('an anchor that is moved to day 15 on 1 June leaves a bridge of 14 days of the new cycle', () => {
  const anchors = [
    { from: '2026-05-01', anchor: '2026-05-01' },
    { from: '2026-06-01', anchor: anchorOnBillingDay('2026-06-01', 15, monthly) },
  ]
  assert.deepEqual(serviceParts({ start: '2026-05-01', end: null }, anchors, monthly, '2026-06-16'), [
    { period: { start: '2026-05-01', end: '2026-06-01' }, cycle: { start: '2026-05-01', end: '2026-06-01' } },
    { period: { start: '2026-06-01', end: '2026-06-15' }, cycle: { start: '2026-05-15', end: '2026-06-15' } },
    { period: { start: '2026-06-15', end: '2026-07-15' }, cycle: { start: '2026-06-15', end: '2026-07-15' } },
  ])
})

test('an anchor that is moved on the 15th leaves a bridge of 14 days of the old cycle', () => {
  const anchors = [
    { from: '2026-05-01', anchor: '2026-05-01' },
    { from: '2026-06-15', anchor: '2026-06-15' },
  ]
  const [, bridge, next] = serviceParts({ start: '2026-05-01', end: null }, anchors, monthly, '2026-06-16')
  assert.deepEqual(bridge, {
    period: { start: '2026-06-01', end: '2026-06-15' },
    cycle: { start: '2026-06-01', end: '2026-07-01' },
  })
  assert.deepEqual(next?.period, { start: '2026-06-15', end: '2026-07-15' })
})

test('three missed months are three parts, equal to those of three runs in time', () => {
  const anchors = [{ from: '2026-01-10', anchor: '2026-01-10' }]
  const inTime = ['2026-01-10', '2026-02-10', '2026-03-10'].map((day) => ({
    start: day,
    end: boundaryAfter('2026-01-10', monthly, day),
  }))
  assert.deepEqual(periodsOf('2026-01-10', null, anchors, '2026-04-10'), inTime)
})

test('a part beyond the end of a life is cut, and nothing follows it', () => {
  const anchors = [{ from: '2026-01-05', anchor: '2026-01-05' }]
  assert.deepEqual(periodsOf('2026-01-05', '2026-03-16', anchors, '2027-01-01').slice(2), [
    { start: '2026-03-05', end: '2026-03-16' },
  ])
  assert.deepEqual(periodsOf('2026-01-05', '2026-01-05', anchors, '2027-01-01'), [])
})

test('parts tile a life without hole or overlap, whatever the interval and however often the anchor moves', () => {
  const moves = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 900 }), back: fc.integer({ min: -40, max: 400 }) }),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(
      anyDate,
      fc.integer({ min: 1, max: 900 }),
      anyInterval,
      moves,
      (start, length, interval, list) => {
        const end = addDays(start, length)
        const sorted = list.toSorted((first, second) => first.after - second.after)
        const anchors = [0, ...sorted.map(({ after }) => after)].map((after, n) => ({
          from: addDays(start, after),
          anchor: addDays(start, after - (sorted[n - 1]?.back ?? 0)),
        }))
        const parts = serviceParts({ start, end }, anchors, interval, end)
        assert.equal(parts[0]?.period.start, start)
        assert.equal(parts.at(-1)?.period.end, end)
        parts.forEach(({ period, cycle }, n) => {
          assert.ok(compareDates(period.start, period.end) < 0)
          assert.ok(compareDates(cycle.start, period.start) <= 0 && compareDates(period.end, cycle.end) <= 0)
          if (n > 0) assert.equal(period.start, parts[n - 1]?.period.end)
        })
      },
    ),
  )
})

const stand = {
  interval: { count: 1, unit: 'month' },
  nextPeriodIndex: 5,
  nextInvoiceOn: '2026-06-01',
} as const

test('C-13 a forced invoice passes over the periods before it, and comes on the first day of one', () => {
  const from31 = { ...stand, anchor: '2026-01-31', nextPeriodIndex: 1, nextInvoiceOn: '2026-02-28' }
  assert.deepEqual(passOverPeriods(from31, '2026-04-30'), [
    { start: '2026-02-28', end: '2026-03-31' },
    { start: '2026-03-31', end: '2026-04-30' },
  ])
  for (const wrong of ['2026-02-28', '2026-04-29', '2026-01-31', '2040-01-31']) {
    assert.throws(() => passOverPeriods(from31, wrong), { code: 'date_range_invalid' })
  }
})

test('a moved anchor makes the next period a bridge to the first full one, and numbers go on', () => {
  const { anchor, periodIndex } = moveAnchor(stand, '2026-06-15')
  assert.deepEqual([anchor, periodIndex], ['2025-12-15', 5])
  assert.equal(cycleBoundary(anchor, stand.interval, periodIndex + 1), '2026-06-15')
})

test('the day is not lost in a month that lacks it: numbers may have a gap', () => {
  for (const firstFullOn of ['2026-06-30', '2026-06-29', '2026-07-01']) {
    const { anchor, periodIndex } = moveAnchor(stand, firstFullOn)
    assert.ok(periodIndex >= 5)
    assert.equal(anchor.slice(8), firstFullOn.slice(8))
    assert.equal(cycleBoundary(anchor, stand.interval, periodIndex + 1), firstFullOn)
  }
})

test('a bridge has a day and is no longer than a cycle; months by their last day have no other rhythm', () => {
  assert.throws(() => moveAnchor(stand, '2026-06-01'), { code: 'date_range_invalid' })
  assert.throws(() => moveAnchor(stand, '2026-07-02'), { code: 'date_range_invalid' })
  const byLastDay = { ...stand, interval: { count: 1, unit: 'month_last_day' } } as const
  assert.throws(() => moveAnchor(byLastDay, '2026-06-15'), { code: 'action_not_allowed' })
})

test('days before a move are counted by the former anchor', () => {
  const cycles = {
    billingCycleAnchor: '2026-05-15',
    formerAnchor: { anchor: '2026-01-01', until: '2026-06-01' },
  }
  assert.equal(anchorOn(cycles, '2026-05-31'), '2026-01-01')
  assert.equal(anchorOn(cycles, '2026-06-01'), '2026-05-15')
})
