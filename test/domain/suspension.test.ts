import assert from 'node:assert/strict'
import test from 'node:test'
import { decideLift } from '#domain/suspension.ts'

test('suspended for debt and for abuse, and paid: it stays suspended for abuse', () => {
  assert.deepEqual(decideLift({ codes: ['debt', 'abuse'], isPaused: false }, 'debt'), {
    lifted: 'debt',
    left: ['abuse'],
  })
})

test('the last reason lifted leaves nothing', () => {
  assert.deepEqual(decideLift({ codes: ['abuse'], isPaused: false }, 'abuse'), { lifted: 'abuse', left: [] })
})

test('a pause that is not over outlasts the last reason', () => {
  assert.deepEqual(decideLift({ codes: ['abuse'], isPaused: true }, 'abuse').left, ['pause'])
})

test('without a name, what was set without a name is lifted, or else a pause ends', () => {
  assert.deepEqual(decideLift({ codes: ['requested', 'debt'], isPaused: false }), {
    lifted: 'requested',
    left: ['debt'],
  })
  assert.deepEqual(decideLift({ codes: [], isPaused: true }), { lifted: null, left: [] })
})

test('without a name nothing else is lifted, and a reason that does not stand cannot be', () => {
  assert.throws(() => decideLift({ codes: ['debt'], isPaused: false }), { code: 'suspended' })
  assert.throws(() => decideLift({ codes: ['debt'], isPaused: false }, 'abuse'), {
    code: 'action_not_allowed',
  })
})
