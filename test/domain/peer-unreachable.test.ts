import assert from 'node:assert/strict'
import test from 'node:test'
import { sayUnreachablePeer } from '#domain/peer-unreachable.ts'

const origin = 'https://billing.example.com'
const failed = (code: string) => Object.assign(new Error('as the system said'), { code })

test('why a peer is not reached is said in words, with what the system said behind them', () => {
  for (const [code, words] of [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not trusted here'],
    ['CERT_HAS_EXPIRED', 'its certificate is not trusted here'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is not trusted here'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it speaks no TLS that is understood here'],
    ['EAI_AGAIN', 'its name cannot be looked up at present'],
    ['ENETUNREACH', 'no way leads there from here'],
  ] as const)
    assert.equal(
      sayUnreachablePeer(origin, failed(code)),
      `${origin} is not reached: ${words} (as the system said)`,
    )
})

test('where several addresses were tried, what each came to is said', () => {
  const errors = [new Error('connect ECONNREFUSED ::1:443'), new Error('connect ECONNREFUSED 127.0.0.1:443')]
  const all = Object.assign(new AggregateError(errors), { code: 'ECONNREFUSED' })
  assert.equal(
    sayUnreachablePeer(origin, all),
    `${origin} is not reached: nobody listens there (connect ECONNREFUSED ::1:443; connect ECONNREFUSED 127.0.0.1:443)`,
  )
})

test('what is no failure of a connection is said by itself', () => {
  assert.equal(sayUnreachablePeer(origin, failed('ERR_UNKNOWN')), undefined)
  assert.equal(sayUnreachablePeer(origin, 'no error'), undefined)
})
