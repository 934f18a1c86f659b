import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { isAlive, stopProcess } from '#bin/platform/process.ts'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { until } from '#test/support/installation.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const demo = join(projectFolder, 'bin/demo-peers.ts')

test('a demo of peers that is interrupted while it starts ends what it has started, and leaves no file', async (t) => {
  const folder = temporaryFolder(t)
  const env = { ...process.env, TMPDIR: folder }
  const child = spawn(process.execPath, [...loaderFlags, demo], { cwd: projectFolder, env })
  t.after(async () => stopProcess(child.pid ?? 0, 'SIGKILL', 5_000))
  const exited = once(child, 'exit')
  let output = ''
  const collect = (chunk: Buffer) => (output += chunk.toString())
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const pids = await until(`two of its processes run: ${output}`, async () => {
    assert.equal(child.exitCode, null, output)
    const [name] = readdirSync(folder).filter((entry) => entry.startsWith('clouder-demo-peers-'))
    const started = name === undefined ? [] : pidsOf(join(folder, name))
    return started.length >= 2 && started
  })
  child.kill('SIGINT')
  assert.deepEqual(await exited, [130, null], output)
  assert.match(output, /Nothing is left/)
  assert.deepEqual(pids.filter(isAlive), [])
  assert.deepEqual(
    readdirSync(folder).filter((entry) => entry.startsWith('clouder-')),
    [],
  )
})

function pidsOf(folder: string): number[] {
  try {
    const run = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as { processes: { pid: number }[] }
    return run.processes.map(({ pid }) => pid)
  } catch {
    // It is not written yet.
    return []
  }
}

test('what the demo of peers does is told before it does anything', async () => {
  const child = spawn(process.execPath, [...loaderFlags, demo, '--help'], { cwd: projectFolder })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
  assert.match(output, /parent that bills a\s+child, which bills a grandchild[^]*--stay/)
})
