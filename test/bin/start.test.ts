import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { freePort } from '#bin/platform/ports.ts'
import { isAlive, stopProcess } from '#bin/platform/process.ts'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const startFile = join(projectFolder, 'bin/start.ts')
const readyTimeoutMs = 120_000

/** The variables of a start of its own: nothing of the machine's other installations, no container. */
async function envFor(folder: string): Promise<NodeJS.ProcessEnv> {
  return {
    ...process.env,
    DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
    CLOUDER_DATA: join(folder, 'data'),
    CLOUDER_RUNNER: 'dry-run',
    CLOUDER_PORT: String(await freePort()),
    CLOUDER_POSTGRES_PORT: String(await freePort()),
    CLOUDER_TEMPORAL_PORT: String(await freePort()),
    CLOUDER_TEMPORAL_UI_PORT: String(await freePort()),
  }
}

/** Starts Clouder and waits for the block that says it is ready. */
async function startClouder(t: TestContext, env: NodeJS.ProcessEnv) {
  const startedAt = Date.now()
  const child = spawn(process.execPath, [...loaderFlags, startFile], { cwd: projectFolder, env })
  const exited = Promise.withResolvers<number | null>()
  const ready = Promise.withResolvers<number>()
  let output = ''
  const collect = (chunk: Buffer) => {
    output += chunk.toString()
    if (output.includes('Stop  Ctrl-C')) ready.resolve(Date.now() - startedAt)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  child.on('exit', (code) => {
    exited.resolve(code)
    ready.reject(new Error(`the start ended before it was ready:\n${output}`))
  })
  t.after(async () => {
    if (child.pid !== undefined) await stopProcess(child.pid, 'SIGTERM', 60_000)
  })
  const timer = setTimeout(() => ready.reject(new Error(`not ready in time:\n${output}`)), readyTimeoutMs)
  const readyMs = await ready.promise
  clearTimeout(timer)
  return { child, readyMs, exited: exited.promise, output: () => output }
}

function pidsOf(env: NodeJS.ProcessEnv): number[] {
  const run: { processes: { pid: number }[] } = JSON.parse(
    readFileSync(join(env['CLOUDER_DATA'] ?? '', 'run.json'), 'utf8'),
  )
  return run.processes.map(({ pid }) => pid)
}

test('a start from an empty folder ends ready, Ctrl-C stops all in order, and the next one finds it again', async (t) => {
  const env = await envFor(temporaryFolder(t))
  const first = await startClouder(t, env)
  assert.match(first.output(), /DRY RUN/)
  assert.match(first.output(), /Demo subscription .* active/)
  assert.match(first.output(), /one-time login +http:\/\/localhost:\d+\/login/)
  const subscription = /subscription\/(sub_\w+)/.exec(first.output())?.[1]
  assert.ok(subscription !== undefined)
  const cliFile = join(env['CLOUDER_DATA'] ?? '', 'cli.json')
  assert.equal(statSync(cliFile).mode & 0o777, 0o600)
  const histories = globSync('temporal.db*', { cwd: env['CLOUDER_DATA'] ?? '' })
  assert.ok(histories.includes('temporal.db-wal'), histories.join())
  for (const name of histories)
    assert.equal(statSync(join(env['CLOUDER_DATA'] ?? '', name)).mode & 0o777, 0o600, name)
  const pids = pidsOf(env)
  assert.equal(pids.length, 4)

  first.child.kill('SIGINT')
  assert.equal(await first.exited, 130)
  assert.match(first.output(), /Stopped api, worker, temporal, postgres in/)
  assert.deepEqual(pids.filter(isAlive), [])

  const second = await startClouder(t, env)
  assert.ok(second.output().includes(subscription), 'the same subscription, not a second one')
  // Seconds, where nothing else runs; minutes where something is made anew.
  assert.ok(second.readyMs < 60_000, `ready after ${second.readyMs} ms`)

  second.child.kill('SIGKILL')
  await second.exited
  const third = await startClouder(t, env)
  assert.match(third.output(), /An earlier start ended without stopping/)
  assert.ok(third.output().includes(subscription))
  third.child.kill('SIGTERM')
  assert.equal(await third.exited, 130)
  assert.equal(existsSync(join(env['CLOUDER_DATA'] ?? '', 'run.json')), false)
})

test('a start with several wrong variables tells them all, starts nothing and exits with 2', (t) => {
  const folder = temporaryFolder(t)
  const { status, stderr } = spawnSync(process.execPath, [...loaderFlags, startFile], {
    cwd: projectFolder,
    encoding: 'utf8',
    env: { ...process.env, CLOUDER_DATA: join(folder, 'data'), CLOUDER_PORT: 'x', TEMPORAL_ADDRESS: 'y' },
  })
  assert.equal(status, 2)
  assert.match(stderr, /CLOUDER_PORT[\s\S]*TEMPORAL_ADDRESS/)
  assert.equal(existsSync(join(folder, 'data')), false)
})

test('--help explains every variable a start reads', () => {
  const { status, stdout } = spawnSync(process.execPath, [...loaderFlags, startFile, '--help'], {
    cwd: projectFolder,
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  const platform = ['configuration', 'busybox', 'docker', 'postgres', 'temporal'].map((name) =>
    readFileSync(join(projectFolder, `bin/platform/${name}.ts`), 'utf8'),
  )
  const read = [...platform.join().matchAll(/^ {2}([A-Z_]+): |env\['([A-Z_]+)'\]/gm)].map(
    ([, a, b]) => a ?? b ?? '',
  )
  const unexplained = [...new Set(read)].filter((name) => !stdout.includes(name) && !name.startsWith('XDG_'))
  assert.ok(read.length > 10)
  assert.deepEqual(unexplained, [])
})
