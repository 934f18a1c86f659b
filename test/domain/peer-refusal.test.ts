import assert from 'node:assert/strict'
import test from 'node:test'
import { adviseOn, isPassing, readRetryAfter } from '#domain/peer-refusal.ts'

const refusal = { detail: '', thereAt: null }

test('what is over once something is mended is kept and tried again; what another content causes is not', () => {
  for (const code of [
    'peer_message_expired',
    'peer_message_repeated',
    'peer_signature_refused',
    'peer_version_unknown',
    'too_many_requests',
  ])
    assert.equal(isPassing(code), true, code)
  for (const code of ['peer_halted', 'peer_document_conflict', 'field_invalid', 'constructor', ''])
    assert.equal(isPassing(code), false, code)
})

test('clocks that differ are told by how much; a key and a version by what is to be done, a repetition by nothing', () => {
  const expired = { ...refusal, code: 'peer_message_expired' }
  assert.match(
    adviseOn({ ...expired, thereAt: '2026-03-01T00:10:00.000Z' }, '2026-03-01T00:00:00.000Z') ?? '',
    /differ by 600 seconds: it is 2026-03-01T00:00:00.000Z here, and 2026-03-01T00:10:00.000Z over there/,
  )
  assert.match(adviseOn(expired, '2026-03-01T00:00:00Z') ?? '', /clocks differ/)
  assert.match(adviseOn({ ...refusal, code: 'peer_signature_refused' }, '') ?? '', /pin-key/)
  assert.match(adviseOn({ ...refusal, code: 'peer_version_unknown' }, '') ?? '', /up to date/)
  assert.equal(adviseOn({ ...refusal, code: 'peer_message_repeated' }, ''), undefined)
})

test('a wait is told in seconds or as a date, and is a quarter of an hour at most', () => {
  const nowMs = Date.parse('2026-03-01T00:00:00Z')
  for (const [header, waitMs] of [
    ['2', 2_000],
    ['0', 0],
    ['86400', 900_000],
    ['Sun, 01 Mar 2026 00:00:10 GMT', 10_000],
    ['Sat, 28 Feb 2026 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-1', undefined],
    [undefined, undefined],
  ] as const)
    assert.equal(readRetryAfter(header, nowMs), waitMs, header ?? 'none')
})
