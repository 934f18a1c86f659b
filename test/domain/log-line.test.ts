import assert from 'node:assert/strict'
import test from 'node:test'
import { chooseLines, levelOf, matchesPattern, type LogLine, type LogRequest } from '#domain/log-line.ts'

test('a line is as urgent as it says first, in whole words; one that says nothing is info', () => {
  assert.equal(levelOf('2026-11-25 [Warning] an error may follow'), 'warning')
  assert.equal(levelOf('{"level":"error","msg":"info"}'), 'error')
  assert.equal(levelOf('terror is no level'), 'info')
  assert.equal(levelOf(`${'x'.repeat(200)} ERROR far on`), 'info')
})

const line = (at: string, of: Partial<LogLine> = {}): LogLine => ({
  at: `2026-11-25T10:00:${at}Z`,
  service: 'web',
  stream: 'stdout',
  level: 'info',
  text: at,
  ...of,
})
const all: LogRequest = { service: null, since: null, level: null, search: null, limit: 10 }
const lines = [line('02'), line('01', { level: 'error', text: 'Full' }), line('03', { service: 'database' })]
const texts = (request: Partial<LogRequest>) =>
  chooseLines(lines, { ...all, ...request }).map(({ text }) => text)

test('the newest are given, the oldest of them first', () => {
  assert.deepEqual(texts({}), ['Full', '02', '03'])
  assert.deepEqual(texts({ limit: 2 }), ['02', '03'])
})

test('lines are chosen by service, instant, level and text in whatever case', () => {
  assert.deepEqual(texts({ service: 'database' }), ['03'])
  assert.deepEqual(texts({ since: '2026-11-25T10:00:02Z' }), ['02', '03'])
  assert.deepEqual(texts({ level: 'warning' }), ['Full'])
  assert.deepEqual(texts({ search: 'fULL' }), ['Full'])
})

test('a line matches where it holds the parts of the pattern one after another, as they are written', () => {
  const text = 'POST /orders 201 in 12 ms'
  for (const pattern of ['POST /orders', 'POST * 201', '*ms', 'P*O*S*T', 'in *'])
    assert.ok(matchesPattern(text, pattern), pattern)
  for (const pattern of ['post', '201 * POST', 'ms*ms', '.', 'POST /orders 201 in 12 ms '])
    assert.ok(!matchesPattern(text, pattern), pattern)
})
