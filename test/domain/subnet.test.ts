import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { overlaps } from '#domain/subnet.ts'

test('two ranges overlap when they have an address in common, whichever is asked first', () => {
  const cases: [string, string, boolean][] = [
    ['10.201.0.0/16', '10.201.3.64/26', true],
    ['10.201.0.0/26', '10.201.0.64/26', false],
    ['10.201.0.0/26', '10.201.0.63/32', true],
    ['0.0.0.0/0', '255.255.255.255/32', true],
    ['127.0.0.0/8', '128.0.0.0/8', false],
    // The engine may tell a network by one of its addresses.
    ['10.0.0.77/24', '10.0.0.1/32', true],
  ]
  for (const [one, other, expected] of cases) {
    assert.equal(overlaps(one, other), expected, `${one} ${other}`)
    assert.equal(overlaps(other, one), expected, `${other} ${one}`)
  }
})

test('what is not a range of IPv4 overlaps with nothing', () => {
  for (const text of ['fd00::/64', '10.0.0.0', '10.0.0.0/33', '256.0.0.0/8', '']) {
    assert.equal(overlaps(text, '0.0.0.0/0'), false, text)
  }
})

test('of two ranges that overlap, one holds the other whole', () => {
  const range = fc
    .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(32))
    .map(([a, b, c, d, prefixLength]) => ({
      text: `${a}.${b}.${c}.${d}/${prefixLength}`,
      address: `${a}.${b}.${c}.${d}/32`,
      prefixLength,
    }))
  fc.assert(
    fc.property(range, range, (one, other) => {
      const [larger, smaller] = one.prefixLength <= other.prefixLength ? [one, other] : [other, one]
      assert.equal(overlaps(one.text, other.text), overlaps(larger.text, smaller.address))
    }),
  )
})
