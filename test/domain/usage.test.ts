import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import {
  aggregateUsage,
  type InstantWindow,
  type MetricRule,
  type PushedUsage,
  type Reading,
} from '#domain/usage.ts'

const counter: MetricRule = { kind: 'counter', aggregation: 'sum' }
const highest: MetricRule = { kind: 'gauge', aggregation: 'max' }
const latest: MetricRule = { kind: 'gauge', aggregation: 'last' }
const january: InstantWindow = { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }
const february: InstantWindow = { start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' }

function reading(readAt: string, value: string, overrides: Partial<Reading> = {}): Reading {
  return { series: 'eth0', value, unit: 'GiB', isOpening: false, readAt, ...overrides }
}

function event(occurredAt: string, quantity: string, unit = 'GiB'): PushedUsage {
  return { quantity, unit, occurredAt }
}

function measure(
  rule: MetricRule,
  window: InstantWindow,
  measured: { readings?: readonly Reading[]; events?: readonly PushedUsage[] },
  unit = 'GiB',
) {
  return aggregateUsage(
    rule,
    window,
    { readings: measured.readings ?? [], events: measured.events ?? [] },
    unit,
  )
}

test('readings 100, 160, a missed one, 220, a restart from 0 and 30 are a usage of 150', () => {
  const readings = [
    reading('2026-01-01T00:00:01Z', '100', { isOpening: true }),
    reading('2026-01-02T00:00:00Z', '160'),
    reading('2026-01-04T00:00:00Z', '220'),
    reading('2026-01-05T00:00:00Z', '0'),
    reading('2026-01-06T00:00:00Z', '30'),
  ]
  assert.equal(measure(counter, january, { readings }).quantity, '150')
})

test('a series that appears later counts from 0, an opening reading from its value', () => {
  const first = '2026-01-02T00:00:00Z'
  assert.equal(measure(counter, january, { readings: [reading(first, '70')] }).quantity, '70')
  assert.equal(
    measure(counter, january, { readings: [reading(first, '70', { isOpening: true })] }).quantity,
    '0',
  )
})

test('what was counted between suspension and resume is nobody’s bill', () => {
  const readings = [
    reading('2026-01-01T00:00:01Z', '0', { isOpening: true }),
    reading('2026-01-10T00:00:00Z', '40'),
    reading('2026-01-20T00:00:00Z', '65', { isOpening: true }),
    reading('2026-01-25T00:00:00Z', '70'),
  ]
  assert.equal(measure(counter, january, { readings }).quantity, '45')
})

test('growth over a boundary counts where its later reading was taken', () => {
  const readings = [
    reading('2026-01-31T23:59:59Z', '10'),
    reading('2026-02-01T00:00:00Z', '12'),
    reading('2026-02-01T00:05:00Z', '15'),
  ]
  assert.equal(measure(counter, january, { readings }).quantity, '12')
  assert.equal(measure(counter, february, { readings }).quantity, '3')
})

test('a value on the boundary belongs to the period before it', () => {
  const events = [event('2026-01-01T00:00:00Z', '1'), event('2026-02-01T00:00:00Z', '4')]
  assert.equal(measure(counter, january, { events }).quantity, '4')
  assert.equal(measure(counter, february, { events }).quantity, '0')
})

test('pushed amounts add to what was read, converted into the unit of the product', () => {
  const readings = [reading('2026-01-02T00:00:00Z', '1073741824', { unit: 'B' })]
  const events = [event('2026-01-03T00:00:00Z', '512', 'MiB'), event('2026-01-04T00:00:00Z', '0.25')]
  assert.equal(measure(counter, january, { readings, events }).quantity, '1.75')
})

test('half a million times 1 MiB are 488.28125 GiB', () => {
  const events = Array.from({ length: 500 }, () => event('2026-01-03T00:00:00Z', '1000', 'MiB'))
  assert.equal(measure(counter, january, { events }).quantity, '488.28125')
})

test('a reading in a unit that does not convert is refused', () => {
  const readings = [reading('2026-01-02T00:00:00Z', '1', { unit: 'user' })]
  assert.throws(() => measure(counter, january, { readings }), { code: 'unit_not_convertible' })
})

test('two interfaces of one instance are counted apart', () => {
  const readings = [
    reading('2026-01-02T00:00:00Z', '10', { series: 'a' }),
    reading('2026-01-02T00:00:00Z', '5', { series: 'b' }),
    reading('2026-01-03T00:00:00Z', '12', { series: 'a' }),
    reading('2026-01-03T00:00:00Z', '1', { series: 'b' }),
  ]
  assert.equal(measure(counter, january, { readings }).quantity, '18')
})

test('users by the highest value: 4, 9, 6 are 9', () => {
  const readings = ['4', '9', '6'].map((value, day) =>
    reading(`2026-01-0${day + 2}T00:00:00Z`, value, { unit: 'user' }),
  )
  assert.equal(measure(highest, january, { readings }, 'user').quantity, '9')
  assert.equal(measure(latest, january, { readings }, 'user').quantity, '6')
})

test('two volumes are one gauge: the highest sum at one moment, not the sum of the highest', () => {
  const readings = [
    reading('2026-01-02T00:00:00Z', '5', { series: 'data' }),
    reading('2026-01-02T00:00:00Z', '1', { series: 'logs' }),
    reading('2026-01-03T00:00:00Z', '2', { series: 'data' }),
    reading('2026-01-03T00:00:00Z', '3', { series: 'logs' }),
  ]
  assert.equal(measure(latest, january, { readings }).quantity, '5')
  assert.equal(measure(highest, january, { readings }).quantity, '6')
})

test('what moves from one volume to another between two readings is never counted in both', () => {
  const readings = [
    reading('2026-01-02T00:00:00Z', '10', { series: 'logs' }),
    reading('2026-01-02T00:00:00Z', '1', { series: 'data' }),
    reading('2026-01-03T00:00:00Z', '11', { series: 'data' }),
    reading('2026-01-03T00:00:00Z', '0', { series: 'logs' }),
  ]
  assert.equal(measure(highest, january, { readings }).quantity, '11')
})

test('a container that was replaced has no part in a gauge any more', () => {
  const readings = [
    reading('2026-01-02T00:00:00Z', '5', { series: 'container:old', unit: 'user' }),
    reading('2026-01-03T00:00:00Z', '6', { series: 'container:new', unit: 'user' }),
  ]
  assert.equal(measure(highest, january, { readings }, 'user').quantity, '6')
})

test('what does not divide is added up before it is divided: three times 20 minutes are an hour', () => {
  const events = [1, 2, 3].map((day) => event(`2026-01-0${day}T12:00:00Z`, '20', 'minute'))
  assert.equal(measure(counter, january, { events }, 'hour').quantity, '1')
})

test('the last value of a gauge stays in force while nothing newer is known', () => {
  const events = [event('2026-01-10T00:00:00Z', '2')]
  assert.equal(measure(latest, february, { events }).quantity, '2')
  assert.equal(measure(latest, january, { events: [] }).quantity, '0')
})

test('a window tells how many values it holds, and when the first and last were read', () => {
  const readings = [
    reading('2025-12-31T23:00:00Z', '1'),
    reading('2026-01-02T00:00:00Z', '2'),
    reading('2026-01-09T00:00:00Z', '3'),
  ]
  assert.deepEqual(measure(counter, january, { readings, events: [event('2026-01-03T00:00:00Z', '1')] }), {
    quantity: '3',
    unit: 'GiB',
    readingCount: 2,
    eventCount: 1,
    firstReadAt: '2026-01-02T00:00:00Z',
    lastReadAt: '2026-01-09T00:00:00Z',
  })
})

const startMs = Date.parse('2026-01-01T00:00:00Z')
const hourMs = 3_600_000
const hours = 500

function at(hour: number): string {
  return new Date(startMs + hour * hourMs).toISOString()
}

const anyHour = fc.integer({ min: 1, max: hours })
const measurements = fc.record({
  readings: fc.array(
    fc.record({
      hour: anyHour,
      series: fc.constantFrom('a', 'b'),
      value: fc.integer({ min: 0, max: 1_000 }),
      isOpening: fc.boolean(),
    }),
  ),
  events: fc.array(fc.record({ hour: anyHour, quantity: fc.integer({ min: 0, max: 1_000 }) })),
  cuts: fc.uniqueArray(fc.integer({ min: 1, max: hours - 1 }), { maxLength: 8 }),
})

test('windows that follow each other sum to the whole, however time is cut', () => {
  fc.assert(
    fc.property(measurements, ({ readings, events, cuts }) => {
      const measured = {
        readings: readings
          .toSorted((first, second) => first.hour - second.hour)
          .map(({ hour, value, ...rest }) => reading(at(hour), String(value), { ...rest, unit: 'MiB' })),
        events: events.map(({ hour, quantity }) => event(at(hour), String(quantity), 'KB')),
      }
      const edges = [0, ...cuts.toSorted((first, second) => first - second), hours]
      const parts = edges
        .slice(1)
        .map(
          (end, index) => measure(counter, { start: at(edges[index] ?? 0), end: at(end) }, measured).quantity,
        )
      const whole = measure(counter, { start: at(0), end: at(hours) }, measured).quantity
      assert.equal(parts.reduce((sum, part) => sum.plus(part), new Big(0)).toFixed(), whole)
    }),
  )
})

test('the highest value of a gauge is that of the window in which it was read', () => {
  fc.assert(
    fc.property(measurements, ({ readings, cuts }) => {
      const measured = {
        readings: readings
          .toSorted((first, second) => first.hour - second.hour)
          .map(({ hour, value }, index) => reading(at(hour), String(value), { sampledAt: at(index) })),
      }
      const edges = [0, ...cuts.toSorted((first, second) => first - second), hours]
      const parts = edges
        .slice(1)
        .map((end, index) =>
          Number(measure(highest, { start: at(edges[index] ?? 0), end: at(end) }, measured).quantity),
        )
      assert.equal(Math.max(...parts), Math.max(0, ...readings.map(({ value }) => value)))
    }),
  )
})

const gauge = (rest: Partial<MetricRule>): MetricRule => ({ kind: 'gauge', aggregation: 'last', ...rest })
const measuredUsers = {
  readings: [
    reading('2025-12-31T00:00:00Z', '7', { unit: 'user' }),
    reading('2026-01-10T00:00:00Z', '4', { unit: 'user' }),
    reading('2026-01-10T00:30:00Z', '9', { unit: 'user' }),
    reading('2026-01-20T00:00:00Z', '4', { unit: 'user' }),
  ],
}
const gauges: [rule: Partial<MetricRule>, quantity: string, whenNothingMeasured: string][] = [
  [{ aggregation: 'max' }, '9', '7'],
  [{ aggregation: 'min' }, '4', '7'],
  [{ aggregation: 'average' }, '5.6666666667', '7'],
  [{ aggregation: 'count' }, '3', '0'],
  [{ aggregation: 'unique_count' }, '2', '0'],
  [{ aggregation: 'percentile', percent: 50 }, '4', '7'],
  [{ aggregation: 'bucket_max', bucketSeconds: 3600 }, '17', '0'],
  [{ aggregation: 'bucket_max', bucketSeconds: 86_400 }, '17', '0'],
  [{ aggregation: 'average', rounding: { mode: 'up', step: '0.5' } }, '6', '7'],
]
for (const [rule, quantity, whenNothingMeasured] of gauges) {
  test(`D-12 a gauge by ${JSON.stringify(rule)} of 4, 9, 4 is ${quantity}`, () => {
    assert.equal(measure(gauge(rule), january, measuredUsers, 'user').quantity, quantity)
    const none = { readings: measuredUsers.readings.slice(0, 1) }
    assert.equal(measure(gauge(rule), january, none, 'user').quantity, whenNothingMeasured)
  })
}

test('D-13 a gauge by time counts what was in force before the window, and each value until the next', () => {
  const april: InstantWindow = { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' }
  const readings = [reading('2026-03-15T00:00:00Z', '10'), reading('2026-04-11T00:00:00Z', '20')]
  const byTime = gauge({ aggregation: 'time_weighted_average' })
  assert.equal(measure(byTime, april, { readings }).quantity, '16.6666666667')
  assert.equal(measure(byTime, april, { readings: readings.slice(1) }).quantity, '13.3333333333')
})

test('D-14 2.4 GiB rounded up by a step of 1 are 3', () => {
  const rule: MetricRule = { ...counter, rounding: { mode: 'up', step: '1' } }
  assert.equal(measure(rule, january, { events: [event('2026-01-05T00:00:00Z', '2.4')] }).quantity, '3')
})

test('D-12 events pushed to a counter can be counted', () => {
  const events = [event('2026-01-05T00:00:00Z', '2'), event('2026-01-06T00:00:00Z', '2')]
  assert.equal(measure({ kind: 'counter', aggregation: 'count' }, january, { events }).quantity, '2')
  assert.equal(measure({ kind: 'counter', aggregation: 'unique_count' }, january, { events }).quantity, '1')
})
