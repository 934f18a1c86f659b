import assert from 'node:assert/strict'
import test from 'node:test'
import { isInRange, isRange, refuseOutbound } from '#domain/outbound-address.ts'

const strict = { isOnLoopback: false, allowed: [] }
const refusal = { code: 'peer_url_refused' }
/** As a URL names its host, whichever way it was written. */
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')

test('addresses of the public internet are spoken to', () => {
  for (const address of [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:82a::200e',
  ])
    refuseOutbound(address, strict)
})

test('private, loopback, link-local, shared, reserved, documentation and metadata addresses are not', () => {
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.2.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '192.88.99.1',
    // Metadata: most clouds, Alibaba, Oracle, Azure, and Amazon by IPv6.
    '169.254.169.254',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    'fd00:ec2::254',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fdff::1',
    'ff02::1',
    '2001:db8::1',
    '3fff::1',
  ])
    assert.throws(() => refuseOutbound(address, strict), refusal, address)
})

test('an IPv4 address inside an IPv6 one is not a way around', () => {
  for (const address of [
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '::ffff:1.1.1.1',
    '0:0:0:0:0:ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2002:a00:1::',
    '2001:0:4136:e378:8000:63bf:f5ff:fffe',
  ])
    assert.throws(() => refuseOutbound(address, strict), refusal, address)
})

test('odd ways to write an address come to the same one', () => {
  for (const url of [
    'https://2130706433',
    'https://0177.0.0.1',
    'https://0x7f.0.0.1',
    'https://127.1',
    'https://0x7f000001',
    'https://[::ffff:127.0.0.1]',
    'https://[0:0:0:0:0:0:0:1]',
    'https://user@169.254.169.254:8443/',
    'https://127.0.0.1./',
    'https://１２７.0.0.1',
  ])
    assert.throws(() => refuseOutbound(hostOf(url), strict), refusal, url)
})

test('what is no address does not pass', () => {
  for (const text of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.1.1.1 ',
    '2606:4700',
    ':::',
    '1::2::3',
    '2606:4700:4700::1111%eth0',
    '2606:4700:1.1.1.1::',
    '1:2:3:4:5:6:7:8:9',
    '2000:1:2:3:4:5:6:7::8',
    'g::1',
  ])
    assert.throws(() => refuseOutbound(text, strict), refusal, text)
})

test('on the loopback others there are spoken to, and nobody else that is not public', () => {
  const here = { isOnLoopback: true, allowed: [] }
  for (const address of ['127.0.0.1', '::1']) refuseOutbound(address, here)
  for (const address of ['10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1'])
    assert.throws(() => refuseOutbound(address, here), refusal, address)
})

test('a port beside 443 is listed, or of the loopback that is spoken to', () => {
  const rule = { isOnLoopback: true, allowed: ['10.20.0.0/16'], ports: [8443] }
  for (const [address, port] of [
    ['1.1.1.1', 443],
    ['1.1.1.1', 8443],
    ['10.20.0.1', 8443],
    ['127.0.0.1', 5432],
  ] as const)
    refuseOutbound(address, rule, port)
  for (const [address, port] of [
    ['1.1.1.1', 80],
    ['1.1.1.1', 22],
    ['10.20.0.1', 5432],
  ] as const)
    assert.throws(() => refuseOutbound(address, rule, port), refusal, `${address} ${port}`)
  assert.throws(() => refuseOutbound('127.0.0.1', { ...rule, isOnLoopback: false }, 8443), refusal)
})

test('an operator allows ranges, and nothing beside them', () => {
  const rule = { isOnLoopback: false, allowed: ['10.20.0.0/16', 'fd00:1::/48'] }
  for (const address of ['10.20.255.1', 'fd00:1::7']) refuseOutbound(address, rule)
  for (const address of ['10.21.0.1', 'fd00:2::7', '127.0.0.1'])
    assert.throws(() => refuseOutbound(address, rule), refusal, address)
})

test('a range is an address with so many bits', () => {
  for (const text of ['10.0.0.0/8', '0.0.0.0/0', '10.0.0.1/32', '::/0', '::1/128'])
    assert.equal(isRange(text), true, text)
  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    'all',
  ])
    assert.equal(isRange(text), false, text)
  assert.equal(isInRange('1.2.3.4', '::/0'), false)
  assert.equal(isInRange('::1', '0.0.0.0/0'), false)
})
