import assert from 'node:assert/strict'
import test from 'node:test'
import { checkPeerUrl, readInvitation, writeInvitation } from '#domain/peer.ts'

const invitation = {
  url: 'https://billing.example.com',
  peer: 'peer_01kb0000000000000000000001',
  role: 'supplier',
  code: 'a-code_',
} as const

test('an invitation is one word that is read as it was written', () => {
  const word = writeInvitation(invitation)
  assert.match(word, /^[!-~]+$/)
  assert.deepEqual(readInvitation(` ${word}\n`), invitation)
})

test('what is no invitation is refused', () => {
  for (const text of [
    '',
    'peer-invitation',
    writeInvitation(invitation).replace('supplier', 'friend'),
    `${writeInvitation(invitation)}.x`,
  ])
    assert.throws(() => readInvitation(text), { code: 'invitation_invalid' })
})

test('another installation is spoken to by https, on the loopback without; by an origin and nothing more', () => {
  for (const [text, url] of [
    ['https://billing.example.com/', 'https://billing.example.com'],
    ['https://billing.example.com:8443', 'https://billing.example.com:8443'],
    ['http://127.0.0.1:4400', 'http://127.0.0.1:4400'],
    ['http://localhost:4400', 'http://localhost:4400'],
  ] as const)
    assert.equal(checkPeerUrl(text), url)
  for (const text of [
    'http://billing.example.com',
    'http://127.0.0.1.example.com',
    'https://billing.example.com/path',
    'https://billing.example.com/?query',
    'https://somebody@billing.example.com',
    'ftp://billing.example.com',
    'billing.example.com',
    '',
  ])
    assert.throws(() => checkPeerUrl(text), { code: 'peer_url_refused' }, text)
})
