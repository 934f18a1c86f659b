import assert from 'node:assert/strict'
import test from 'node:test'
import { checkWaiting, fitsCeiling } from '#domain/waiting-change.ts'

test('5 of 5 fit what a change would leave, 5.5 and 6 do not, and of 0 nothing does', () => {
  assert.deepEqual(
    [fitsCeiling('5', '5'), fitsCeiling(5.5, '5'), fitsCeiling('6', '5'), fitsCeiling('1', '0')],
    [true, false, false, false],
  )
})

test('what was decided is not decided again', () => {
  checkWaiting('waiting')
  for (const state of ['applied', 'withdrawn', 'replaced', 'refused'] as const)
    assert.throws(() => checkWaiting(state), { code: 'change_not_waiting' })
})
