import assert from 'node:assert/strict'
import test from 'node:test'
import { createProgress } from '#bin/platform/progress.ts'

test('a step is numbered and told with its duration and outcome', async () => {
  const lines: string[] = []
  const progress = createProgress(9, (line) => lines.push(line))
  await progress.step(
    'PostgreSQL',
    { usually: '3 s', outcome: (port: number) => `port ${port}` },
    async () => 5432,
  )
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /^ {2}\[1\/9\] PostgreSQL +\d+\.\d s {3}port 5432$/)
})

test('a long step says how long it usually takes, and that it goes on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const lines: string[] = []
  const done = Promise.withResolvers<undefined>()
  const step = createProgress(1, (line) => lines.push(line)).step(
    'Temporal',
    { usually: '6 minutes' },
    () => done.promise,
  )
  t.mock.timers.tick(2_000)
  t.mock.timers.tick(15_000)
  done.resolve(undefined)
  await step
  assert.match(lines[0] ?? '', /still at it, 2\.0 s; usually 6 minutes/)
  assert.match(lines[1] ?? '', /still at it, 17\.0 s/)
  assert.equal(lines.length, 3)
})

test('a step that fails says so, with its duration, and passes the failure on', async () => {
  const lines: string[] = []
  const progress = createProgress(1, (line) => lines.push(line))
  await assert.rejects(
    progress.step('Docker', { usually: '1 s' }, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.match(lines[0] ?? '', /Docker.*failed$/)
})
