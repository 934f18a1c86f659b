import assert from 'node:assert/strict'
import test from 'node:test'
import { joinFeatures } from '#domain/feature.ts'

test('D-44 a feature that one of several products has on is on, whatever the others say', () => {
  assert.deepEqual(joinFeatures([{ sso: true }, { sso: false, tier: 'gold' }]), { sso: true, tier: 'gold' })
  assert.deepEqual(joinFeatures([{ sso: false }, { sso: true }]), { sso: true })
  assert.deepEqual(joinFeatures([{ sso: false }]), { sso: false })
})

test('D-44 of several values the last one counts', () => {
  assert.deepEqual(joinFeatures([{ tier: 'silver' }, { tier: 'gold' }]), { tier: 'gold' })
})

test('a feature may be called as every object has one', () => {
  assert.deepEqual(joinFeatures([{ constructor: false }]), { constructor: false })
})
