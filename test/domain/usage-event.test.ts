import assert from 'node:assert/strict'
import test from 'node:test'
import { BusinessError } from '#domain/errors.ts'
import { readUsageEvent, refuseUnbilled } from '#domain/usage-event.ts'

const event = (time: string) => ({
  specversion: '1.0',
  id: '1',
  source: 'gateway',
  type: 'network',
  subject: 'sub_1',
  time,
  data: { quantity: 2.5 },
})

test('an instant is read to the millisecond, whatever its zone and however fine it is written', () => {
  const written = [
    '2026-02-01T01:00:00.123999+01:00',
    '2026-02-01T00:00:00.123Z',
    '2026-01-31t19:00:00.1239-05:00',
  ]
  assert.deepEqual(
    written.map((time) => readUsageEvent(event(time)).occurredMs),
    written.map(() => Date.parse('2026-02-01T00:00:00.123Z')),
  )
})

test('an instant that no calendar has is refused, and not read as one of the next month', () => {
  for (const time of [
    '2026-02-29T12:00:00Z',
    '2026-02-30T12:00:00+01:00',
    '2026-04-31T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T23:60:00Z',
  ])
    assert.throws(
      () => readUsageEvent(event(time)),
      (error) => error instanceof BusinessError && error.fields[0]?.pointer === '/time',
      time,
    )
  for (const time of ['2028-02-29T12:00:00Z', '2026-01-31T23:59:59.999Z'])
    assert.equal(readUsageEvent(event(time)).occurredMs, Date.parse(time))
})

test('a number is the decimal that it stands for, also where JSON writes it with an exponent; what has more digits is refused', () => {
  const quantityOf = (quantity: unknown) =>
    readUsageEvent({ ...event('2026-01-20T00:00:00Z'), data: { quantity } }).quantity
  assert.deepEqual([0, 0.0000001, 2e-10, 1e15 - 1, '999999999999999.9999999999'].map(quantityOf), [
    '0',
    '0.0000001',
    '0.0000000002',
    '999999999999999',
    '999999999999999.9999999999',
  ])
  for (const quantity of [1e15, 1e21, 1e-11, Infinity, '1e3', '', ' 1', '+1', '.5', '1,5', null, true])
    assert.throws(
      () => quantityOf(quantity),
      (error) => error instanceof BusinessError && error.code === 'quantity_invalid',
      String(quantity),
    )
})

test('extension attributes are let be, and what counts is read', () => {
  const read = readUsageEvent({
    ...event('2026-02-01T00:00:00Z'),
    traceparent: '00-1',
    datacontenttype: 'application/json',
  })
  assert.deepEqual(read, {
    source: 'gateway',
    id: '1',
    subscription: 'sub_1',
    metric: 'network',
    quantity: '2.5',
    unit: null,
    occurredMs: Date.parse('2026-02-01T00:00:00.000Z'),
    startedMs: null,
    properties: null,
    reverses: null,
  })
})

test('D-08, D-10 a value of a span has both ends, and counts at its end', () => {
  const spanned = (data: object) => {
    const { data: own, ...whole } = event('2026-01-20T00:00:00Z')
    return readUsageEvent({ ...whole, data: { ...own, ...data } })
  }
  const [start, end] = ['2026-01-25T00:00:00Z', '2026-02-05T00:00:00Z']
  const read = spanned({ start, end })
  assert.deepEqual([read.startedMs, read.occurredMs], [Date.parse(start), Date.parse(end)])
  for (const [data, code, pointer] of [
    [{ start }, 'window_without_dates', '/data/end'],
    [{ end }, 'window_without_dates', '/data/start'],
    [{ start: end, end: start }, 'date_range_invalid', '/data/end'],
    [{ start, end: start }, 'date_range_invalid', '/data/end'],
    [{ start: 'January', end }, 'field_invalid', '/data/start'],
  ] as const)
    assert.throws(
      () => spanned(data),
      (error) =>
        error instanceof BusinessError && error.code === code && error.fields[0]?.pointer === pointer,
      JSON.stringify(data),
    )
})

test('what was used before a line began, or after it ended, is billed by none', () => {
  const [january, february, march] = ['2026-01-01', '2026-02-01', '2026-03-01'].map((day) => Date.parse(day))
  assert.ok(january !== undefined && february !== undefined && march !== undefined)
  const ended = { beginsMs: january, endsMs: february }
  const next = { beginsMs: march, endsMs: null }
  for (const [at, stretches] of [
    [january + 1, [ended]],
    [february, [ended]],
    [march + 1, [ended, next]],
    [january, [{ beginsMs: null, endsMs: null }]],
  ] as const)
    assert.doesNotThrow(() => refuseUnbilled(at, stretches))
  for (const [at, stretches, code] of [
    [january, [ended, next], 'subscription_not_begun'],
    [january - 1, [ended], 'subscription_not_begun'],
    [february + 1, [ended], 'subscription_ended'],
    [march, [ended, next], 'subscription_ended'],
  ] as const)
    assert.throws(
      () => refuseUnbilled(at, stretches),
      (error) => error instanceof BusinessError && error.code === code,
    )
})
