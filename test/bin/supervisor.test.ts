import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { claimRun } from '#bin/platform/run-state.ts'
import { supervise } from '#bin/platform/supervisor.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

async function superviseProgram(t: TestContext, source: string) {
  const folder = temporaryFolder(t)
  const entry = join(folder, 'worker.ts')
  writeFileSync(entry, source)
  const run = await claimRun(folder)
  const ending = new AbortController()
  t.after(async () => {
    ending.abort()
    await run.stopAll()
  })
  const lines: string[] = []
  const given = Promise.withResolvers<string>()
  const ctx = {
    run,
    ending: ending.signal,
    giveUp: given.resolve,
    progress: { line: (line: string) => void lines.push(line) },
  }
  supervise({ name: 'worker', entry, env: process.env, logFile: join(folder, 'worker.log') }, ctx, 5)
  return { reason: await given.promise, lines }
}

test('a process that keeps dying is restarted five times, its last words are shown, then the start gives up', async (t) => {
  const { reason, lines } = await superviseProgram(
    t,
    "console.log('the database is on fire'); process.exit(3)",
  )
  assert.match(reason, /worker ended unexpectedly \(exit code 3\) and was restarted 5 times/)
  assert.equal(lines.filter((line) => line.includes('Restarting it')).length, 5)
  assert.match(lines[0] ?? '', /\| the database is on fire/)
})
