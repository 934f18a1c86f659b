import assert from 'node:assert/strict'
import test from 'node:test'
import { connectEngine, isElsewhere } from '#docker/engine.ts'
import { unreachableCause } from '#docker/unreachable.ts'

test('why an engine cannot be reached has one name, whatever the system calls it', () => {
  const causes = {
    refused: ['ECONNREFUSED', 'ENOENT', 'ECONNRESET'],
    timed_out: ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
    name_unknown: ['ENOTFOUND', 'EAI_AGAIN'],
    not_permitted: ['EACCES', 'EPERM'],
    tls_wrong: [
      'CERT_HAS_EXPIRED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    ],
  }
  for (const [cause, codes] of Object.entries(causes)) {
    for (const code of codes)
      assert.equal(unreachableCause(Object.assign(new Error('no'), { code })), cause, code)
  }
  assert.equal(
    unreachableCause(AbortSignal.timeout(0).reason ?? new DOMException('', 'TimeoutError')),
    'timed_out',
  )
  assert.equal(unreachableCause(new Error('another one')), undefined)
})

test('what is published on another host is known to be out of our reach', () => {
  const certificates = { ca: '', certificate: '', key: '' }
  assert.ok(isElsewhere(connectEngine('tcp://10.0.0.7:2376', certificates)))
  for (const address of ['tcp://127.0.0.1:2376', 'tcp://localhost', 'tcp://[::1]:2376'])
    assert.ok(!isElsewhere(connectEngine(address, certificates)), address)
  assert.ok(!isElsewhere(connectEngine('unix:///var/run/docker.sock')))
})
