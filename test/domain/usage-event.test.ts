import assert from 'node:assert/strict'
import test from 'node:test'
import { readUsageEvent } from '#domain/usage-event.ts'

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
    properties: null,
    reverses: null,
  })
})
