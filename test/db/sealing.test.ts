import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { open, seal } from '#db/sealing.ts'

const key = { id: 'first', bytes: randomBytes(32) }
const instance = '0190a6c4-7b1a-7c3e-9f00-000000000001'
const other = '0190a6c4-7b1a-7c3e-9f00-000000000002'

test('a sealed secret opens with its key, for its instance and name, and nowhere else', () => {
  const sealed = seal(key, instance, 'DATABASE_PASSWORD', 'correct horse')
  assert.equal(open(key, instance, sealed), 'correct horse')
  assert.throws(() => open(key, other, sealed))
  assert.throws(() => open(key, instance, { ...sealed, name: 'ADMIN_PASSWORD' }))
  assert.throws(() => open({ id: 'first', bytes: randomBytes(32) }, instance, sealed))
  assert.throws(() => open({ ...key, id: 'second' }, instance, sealed), /sealed with key first/)
})

test('the same value sealed twice looks different, and holds nothing readable', () => {
  const [once, twice] = [
    seal(key, instance, 'A', 'a secret value'),
    seal(key, instance, 'A', 'a secret value'),
  ]
  assert.notDeepEqual(once.sealed, twice.sealed)
  assert.ok(!once.sealed.includes('secret'))
})

test('one changed bit is noticed', () => {
  const sealed = seal(key, instance, 'A', 'a secret value')
  for (const position of [0, 12, 28, sealed.sealed.length - 1]) {
    const changed = Buffer.from(sealed.sealed)
    changed.writeUInt8(changed.readUInt8(position) ^ 1, position)
    assert.throws(() => open(key, instance, { ...sealed, sealed: changed }), `bit at ${position}`)
  }
})
