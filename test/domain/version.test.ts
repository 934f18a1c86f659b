import assert from 'node:assert/strict'
import test from 'node:test'
import { versionOn } from '#domain/version.ts'

const versions = [
  { version: 1, effectiveOn: null },
  { version: 2, effectiveOn: '2026-05-01' },
  { version: 3, effectiveOn: '2026-04-10' },
  { version: 4, effectiveOn: '2026-05-01' },
]

test('a version holds from its day on, and of several from one day the last that was made', () => {
  const on = (day: string) => versionOn(versions, day)?.version
  assert.deepEqual(
    ['2020-01-01', '2026-04-09', '2026-04-10', '2026-04-30', '2026-05-01', '2030-01-01'].map(on),
    [1, 1, 3, 3, 4, 4],
  )
})

test('before the first of some there is none', () => {
  assert.equal(versionOn(versions.slice(1), '2026-04-01'), undefined)
})
