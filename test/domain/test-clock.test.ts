import assert from 'node:assert/strict'
import test from 'node:test'
import { advanceTarget } from '#domain/test-clock.ts'

const steps: readonly (readonly [string, string, string, string])[] = [
  ['2026-01-31T09:00:00Z', '1mo', 'UTC', '2026-02-28T09:00:00.000Z'],
  ['2026-01-31T09:00:00Z', '13mo', 'UTC', '2027-02-28T09:00:00.000Z'],
  ['2026-03-28T09:00:00Z', '1d', 'Europe/Paris', '2026-03-29T08:00:00.000Z'],
  ['2026-03-28T09:00:00Z', '24h', 'Europe/Paris', '2026-03-29T09:00:00.000Z'],
  ['2024-02-29T00:00:00Z', '1y', 'UTC', '2025-02-28T00:00:00.000Z'],
  ['2026-01-01T00:00:00Z', '2w', 'UTC', '2026-01-15T00:00:00.000Z'],
]

for (const [from, by, zone, target] of steps) {
  test(`${by} from ${from} in ${zone} is ${target}`, () => {
    assert.equal(advanceTarget(from, { by }, zone), target)
  })
}

test('the same instant is already backwards', () => {
  const from = '2026-01-31T09:00:00Z'
  assert.throws(() => advanceTarget(from, { to: from }, 'UTC'), { code: 'clock_backwards' })
})
