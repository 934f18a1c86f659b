import assert from 'node:assert/strict'
import test from 'node:test'
import { advanceTarget } from '#domain/test-clock.ts'

const advances: [from: string, by: string, timeZone: string, expected: string][] = [
  ['2026-01-31T09:00:00Z', '1mo', 'UTC', '2026-02-28T09:00:00.000Z'],
  ['2026-01-31T09:00:00Z', '13mo', 'UTC', '2027-02-28T09:00:00.000Z'],
  ['2024-02-29T09:00:00Z', '1y', 'UTC', '2025-02-28T09:00:00.000Z'],
  ['2026-03-28T12:00:00Z', '1d', 'Europe/Paris', '2026-03-29T11:00:00.000Z'],
  ['2026-03-28T12:00:00Z', '24h', 'Europe/Paris', '2026-03-29T12:00:00.000Z'],
  ['2026-03-01T00:00:00Z', '2w', 'UTC', '2026-03-15T00:00:00.000Z'],
]

for (const [from, by, timeZone, expected] of advances) {
  test(`${by} after ${from} in ${timeZone} is ${expected}`, () => {
    assert.equal(advanceTarget(from, { by }, timeZone), expected)
  })
}

test('a clock goes to an instant that is named', () => {
  assert.equal(
    advanceTarget('2026-01-01T00:00:00Z', { to: '2026-01-01T00:00:01Z' }, 'UTC'),
    '2026-01-01T00:00:01.000Z',
  )
})

test('a clock never goes back, and does not stand still on request', () => {
  const from = '2026-01-01T00:00:00Z'
  assert.throws(() => advanceTarget(from, { to: '2025-12-31T23:59:59Z' }, 'UTC'), { code: 'clock_backwards' })
  assert.throws(() => advanceTarget(from, { to: from }, 'UTC'), { code: 'clock_backwards' })
})

test('one step is five years at most', () => {
  const from = '2026-01-01T00:00:00Z'
  assert.equal(advanceTarget(from, { by: '5y' }, 'UTC'), '2031-01-01T00:00:00.000Z')
  assert.throws(() => advanceTarget(from, { by: '61mo' }, 'UTC'), { code: 'clock_too_far' })
  assert.throws(() => advanceTarget(from, { by: '99999y' }, 'UTC'), { code: 'clock_too_far' })
})

for (const by of ['', '0d', '-1d', '1', 'mo', '1 mo', '1.5d', '1m', '100000d']) {
  test(`a step of ${JSON.stringify(by)} cannot be read`, () => {
    assert.throws(() => advanceTarget('2026-01-01T00:00:00Z', { by }, 'UTC'), { code: 'field_invalid' })
  })
}
