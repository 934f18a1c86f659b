import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { PlatformProblem } from '#bin/platform/problem.ts'
import { birthOf, isAlive } from '#bin/platform/process.ts'
import { claimRun, isRunAlive } from '#bin/platform/run-state.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

/** A process that lives until it is stopped, standing for a server. */
function startSleeper(t: TestContext): number {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
  t.after(() => child.kill('SIGKILL'))
  assert.ok(child.pid !== undefined)
  return child.pid
}

function writeRun(
  folder: string,
  owner: { pid: number; birth: string },
  processes: { pid: number; birth: string }[],
) {
  const run = {
    owner: { name: 'start', ...owner },
    startedAt: '2026-01-31T10:00:00Z',
    processes: processes.map((known, at) => ({ name: `server-${at}`, ...known })),
    facts: { console: 'http://localhost:4400' },
  }
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run))
}

const gone = { pid: 4_194_303, birth: '1' }
const describe = (pid: number) => ({ pid, birth: birthOf(pid) ?? '' })

test('a second start beside a running one is refused and says where the running one is', async (t) => {
  const folder = temporaryFolder(t)
  const server = startSleeper(t)
  writeRun(folder, describe(startSleeper(t)), [describe(server)])
  assert.ok(isRunAlive(folder))
  await assert.rejects(claimRun(folder), (error) => {
    assert.ok(error instanceof PlatformProblem)
    assert.match(error.facts.found, /running already/)
    assert.match(error.facts.stillWorks, /http:\/\/localhost:4400/)
    return true
  })
  assert.ok(isAlive(server), 'nothing of the running one is touched')
})

test('what a killed start left running is ended, the last started first', async (t) => {
  const folder = temporaryFolder(t)
  const pids = [startSleeper(t), startSleeper(t)]
  writeRun(folder, gone, pids.map(describe))
  let ended: string[] = []
  await claimRun(folder, (names) => {
    ended = names
  })
  assert.deepEqual(ended, ['server-1', 'server-0'])
  assert.deepEqual(pids.map(isAlive), [false, false])
})

test('a process that was given the pid of a dead one since is left alone', async (t) => {
  const folder = temporaryFolder(t)
  const stranger = startSleeper(t)
  writeRun(folder, { pid: stranger, birth: 'another time' }, [{ pid: stranger, birth: 'another time' }])
  const run = await claimRun(folder)
  assert.deepEqual(await run.stopAll(), [])
  assert.ok(isAlive(stranger))
})

test('stopping ends every noted process and gives the folder free', async (t) => {
  const folder = temporaryFolder(t)
  const run = await claimRun(folder)
  const [database, worker, restarted] = [startSleeper(t), startSleeper(t), startSleeper(t)]
  run.addProcess('database', database)
  run.addProcess('worker', worker)
  run.addProcess('database', restarted)
  assert.match(readFileSync(join(folder, 'run.json'), 'utf8'), /"database"[\s\S]*"worker"/)
  assert.deepEqual(await run.stopAll(), ['worker', 'database'])
  assert.deepEqual([worker, restarted].map(isAlive), [false, false])
  assert.equal(existsSync(join(folder, 'run.json')), false)
})
