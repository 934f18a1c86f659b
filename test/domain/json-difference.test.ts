import assert from 'node:assert/strict'
import test from 'node:test'
import { differences } from '#domain/json-difference.ts'

const before = { name: 'Plan', price: { model: 'volume', tiers: [{ up_to: null, unit_amount: '5' }] } }

test('what differs is told at its innermost place', () => {
  const after = { ...before, price: { model: 'volume', tiers: [{ up_to: null, unit_amount: '4' }] } }
  assert.deepEqual(differences(before, after), [
    { pointer: '/price/tiers/0/unit_amount', from: '5', to: '4' },
  ])
})

test('what is new or gone has one side only, and a list of another length is told whole', () => {
  assert.deepEqual(differences({ name: 'Plan', parts: [1] }, { parts: [1, 2], 'a/b': true }), [
    { pointer: '/name', from: 'Plan', to: undefined },
    { pointer: '/parts', from: [1], to: [1, 2] },
    { pointer: '/a~1b', from: undefined, to: true },
  ])
})

test('a thing does not differ from itself', () => {
  assert.deepEqual(differences(before, structuredClone(before)), [])
})
