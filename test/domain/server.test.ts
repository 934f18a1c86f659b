import assert from 'node:assert/strict'
import test from 'node:test'
import { nextPortRange, readEngineAddress, sayUnreachable, serverState } from '#domain/server.ts'

const nowMs = Date.parse('2026-03-01T12:00:00Z')
const at = { nowMs, silenceMs: 60_000 }

test('a server is expected until it is seen, reachable while it was seen lately, and out of reach after the silence', () => {
  assert.equal(serverState({ lastSeenAt: null, failureCause: null }, at), 'expected')
  assert.equal(serverState({ lastSeenAt: null, failureCause: 'refused' }, at), 'unreachable')
  assert.equal(serverState({ lastSeenAt: '2026-03-01T11:59:00Z', failureCause: null }, at), 'reachable')
  assert.equal(serverState({ lastSeenAt: '2026-03-01T11:58:59Z', failureCause: null }, at), 'unreachable')
})

test('one failed look does not put a server out of reach', () => {
  assert.equal(
    serverState({ lastSeenAt: '2026-03-01T11:59:30Z', failureCause: 'timed_out' }, at),
    'reachable',
  )
})

test('a further server gets ports after those of all others, and begins anew where there are no more', () => {
  assert.deepEqual(nextPortRange([], 200), { first: 20_000, last: 20_199 })
  const given = [
    { first: 24_000, last: 24_199 },
    { first: 20_000, last: 20_199 },
  ]
  assert.deepEqual(nextPortRange(given, 200), { first: 24_200, last: 24_399 })
  assert.deepEqual(nextPortRange([{ first: 31_800, last: 31_999 }], 200), { first: 20_000, last: 20_199 })
})

test('the address of an engine has a host and a port, which is 2376 unless it is said', () => {
  assert.deepEqual(readEngineAddress('tcp://10.0.0.7'), { host: '10.0.0.7', port: 2376 })
  assert.deepEqual(readEngineAddress('tcp://rack-3.example:4000/'), { host: 'rack-3.example', port: 4000 })
  assert.deepEqual(readEngineAddress('tcp://[::1]:2376'), { host: '::1', port: 2376 })
  for (const text of [
    'unix:///var/run/docker.sock',
    'tcp://',
    'tcp://a:0',
    'tcp://a:70000',
    'tcp://a:1/x',
    'tcp://u@a:1',
  ])
    assert.throws(() => readEngineAddress(text), { code: 'field_invalid' }, text)
})

test('why a server is out of reach is said with what to do and what the system said', () => {
  assert.match(
    sayUnreachable('refused', 'connect ECONNREFUSED'),
    /^refused: .*Start the engine.*ECONNREFUSED/,
  )
  assert.match(sayUnreachable('worker_silent', ''), /^worker silent: .*Start it on its host\.$/)
})
