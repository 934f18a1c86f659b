import assert from 'node:assert/strict'
import test from 'node:test'
import { problemKinds } from '#api/errors.ts'
import { exitCodeOfProblem } from '#bin/clouder/exit-code.ts'

const cases: [code: keyof typeof problemKinds, exitCode: number][] = [
  ['quantity_invalid', 2],
  ['json_malformed', 2],
  ['not_found', 3],
  ['customer_unknown', 3],
  ['link_expired', 3],
  ['key_invalid', 4],
  ['scope_missing', 4],
  ['action_not_allowed', 5],
  ['idempotency_key_in_use', 5],
  ['temporal_unreachable', 6],
  ['database_unreachable', 6],
  ['internal_error', 1],
]

test('a refusal ends with the code of its kind', () => {
  for (const [code, exitCode] of cases)
    assert.equal(exitCodeOfProblem(problemKinds[code].status, code), exitCode, code)
})

test('no refusal of the API looks like success or like a warning', () => {
  for (const [code, { status }] of Object.entries(problemKinds))
    assert.ok([1, 2, 3, 4, 5, 6].includes(exitCodeOfProblem(status, code)), code)
})
