import assert from 'node:assert/strict'
import test from 'node:test'
import { openWindow, type MeteredDays } from '#domain/open-window.ts'

const line: MeteredDays = {
  billedUntil: null,
  activatedAt: '2026-01-01T09:00:00Z',
  startsOn: '2026-01-01',
  endsOn: null,
  subscriptionEndsOn: null,
  timeZone: 'Europe/Zurich',
}
const now = '2026-02-20T12:00:00Z'

test('a line is open from its first day, as it is billed, and then from what was billed last', () => {
  assert.deepEqual(openWindow(line, now), { start: '2025-12-31T23:00:00Z', end: now })
  const billed = { ...line, billedUntil: '2026-01-31T23:00:00Z' }
  assert.deepEqual(openWindow(billed, now), { start: '2026-01-31T23:00:00Z', end: now })
})

test('of a changed plan each line is open on its own days: nothing is shown for two of them', () => {
  const left = { ...line, endsOn: '2026-02-10' }
  const next = { ...line, startsOn: '2026-02-10' }
  assert.deepEqual(openWindow(left, now), { start: '2025-12-31T23:00:00Z', end: '2026-02-09T23:00:00Z' })
  assert.deepEqual(openWindow(next, now), { start: '2026-02-09T23:00:00Z', end: now })
  const billedUntil = '2026-02-09T23:00:00Z'
  assert.deepEqual(openWindow({ ...left, billedUntil }, now), { start: billedUntil, end: billedUntil })
  assert.equal(openWindow(next, '2026-02-05T00:00:00Z'), null)
})

test('the last line of a subscription is open up to its closing reading', () => {
  const last = { ...line, endsOn: '2026-02-10', subscriptionEndsOn: '2026-02-10' }
  assert.deepEqual(openWindow(last, now), { start: '2025-12-31T23:00:00Z', end: now })
})

test('what is not active has nothing open', () => {
  assert.equal(openWindow({ ...line, activatedAt: null }, now), null)
})
