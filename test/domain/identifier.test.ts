import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { decodeId, encodeId, type IdentifierKind } from '#domain/identifier.ts'

const uuid = '01936e2f-7c1a-7b3c-9d4e-5f60718293a4'
const kinds: IdentifierKind[] = ['subscription', 'invoice', 'subscriptionLine', 'buildOrder', 'usageWindow']
const anyUuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const hex = bytes.toHex()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
})

test('every uuid comes back from the public id of its kind', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), anyUuid, (kind, id) => {
      assert.equal(decodeId(kind, encodeId(kind, id)), id)
    }),
  )
})

test('public ids sort as their uuids do', () => {
  fc.assert(
    fc.property(anyUuid, anyUuid, (first, second) => {
      assert.equal(encodeId('order', first) < encodeId('order', second), first < second)
    }),
  )
})

test('the extremes have the form of the TypeID specification', () => {
  assert.equal(encodeId('subscription', '00000000-0000-0000-0000-000000000000'), `sub_${'0'.repeat(26)}`)
  assert.equal(encodeId('subscription', 'ffffffff-ffff-ffff-ffff-ffffffffffff'), `sub_7${'z'.repeat(25)}`)
})

test('an id of another kind is refused as such', () => {
  assert.throws(() => decodeId('subscription', encodeId('invoice', uuid)), { code: 'id_kind_mismatch' })
})

const garbage = [
  '',
  'sub',
  'sub_',
  uuid,
  `sub_${'0'.repeat(25)}`,
  `sub_${'0'.repeat(27)}`,
  `sub_8${'0'.repeat(25)}`,
  `sub_${'u'.repeat(26)}`,
  `sub_${'O'.repeat(26)}`,
  ` ${encodeId('subscription', uuid)}`,
  `${encodeId('subscription', uuid)}\n`,
  'sub_01kb; drop table',
]

for (const text of garbage) {
  test(`${JSON.stringify(text)} is not found, for it is no id`, () => {
    assert.throws(() => decodeId('subscription', text), { code: 'not_found' })
  })
}

test('what is no uuid has no public id', () => {
  assert.throws(() => encodeId('subscription', 'not-a-uuid'), /not a uuid/)
  assert.throws(() => encodeId('subscription', uuid.toUpperCase()), /not a uuid/)
})
