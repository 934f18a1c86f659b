import assert from 'node:assert/strict'
import test from 'node:test'
import { questionOf, readAnswer } from '#docker/metrics/prometheus-query.ts'

const nowMs = Date.parse('2026-01-01T02:00:00.500Z')
const nowS = Math.floor(nowMs / 1_000)

test('without a reading before, only the present is asked', () => {
  assert.deepEqual(questionOf({ since: undefined, nowMs, stepS: 60 }), {
    path: 'query',
    parameters: `time=${nowS}`,
  })
})

test('what was missed is asked from the step after the last reading on, and nothing before a step has passed', () => {
  const since = '2026-01-01T00:00:00.250Z'
  const startS = Math.ceil(Date.parse(since) / 1_000) + 60
  assert.deepEqual(questionOf({ since, nowMs, stepS: 60 }), {
    path: 'query_range',
    parameters: `start=${startS}&end=${nowS}&step=60`,
  })
  assert.equal(questionOf({ since: '2026-01-01T01:59:30Z', nowMs, stepS: 60 }), null)
})

test('no more steps are asked than are given at once', () => {
  const asked = questionOf({ since: '2020-01-01T00:00:00Z', nowMs, stepS: 60 })
  assert.equal(asked?.parameters, `start=${nowS - 600_000}&end=${nowS}&step=60`)
})

test('values are exact, each of its own instant; several series and what is no number are refused', () => {
  const answer = (result: unknown) =>
    JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })
  const values = [
    [1_767_225_600, '1.5e3'],
    [1_767_225_660.5, '0.1'],
  ]
  assert.deepEqual(readAnswer(answer([{ metric: {}, values }])), [
    { at: '2026-01-01T00:00:00.000Z', value: '1500' },
    { at: '2026-01-01T00:01:00.500Z', value: '0.1' },
  ])
  assert.deepEqual(readAnswer(answer([{ metric: {}, value: [1_767_225_600, '2'] }])), [
    { at: '2026-01-01T00:00:00.000Z', value: '2' },
  ])
  assert.deepEqual(readAnswer(answer([])), [])
  assert.throws(() => readAnswer(answer([{ values: [] }, { values: [] }])), /2 series/)
  assert.throws(() => readAnswer(answer([{ value: [1, 'NaN'] }])), /no number/)
  assert.throws(() => readAnswer('{"status":"error"}'))
})
