import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loaderFlags } from '#bin/platform/tools.ts'
import { planBuild, planUnbuild, type PlannedInstance } from '#domain/build-plan.ts'
import { build, context, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()
const script = new URL('killed-process.ts', import.meta.url).pathname

interface Kill {
  readonly what: 'build' | 'unbuild'
  readonly step: string
  readonly delayMs: number
}

/** Kills a process so many milliseconds after it told that it begins a step; the engine may go on with what it was asked. */
async function runAndKill({ what, step, delayMs }: Kill, instance: PlannedInstance): Promise<void> {
  const child = spawn(process.execPath, [...loaderFlags, script, what, JSON.stringify(instance)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== step) continue
    await sleep(delayMs)
    child.kill('SIGKILL')
    break
  }
  await exited
}

const builds = ['network', 'volume', 'image', 'container', 'container', 'container', 'container', 'ready']
for (const [index, step] of builds.entries()) {
  const delayMs = step === 'container' ? ([5, 40, 120, 220][index - 3] ?? 0) : 3
  test(`a build killed ${delayMs} ms into its ${step} step goes on where it was, and makes nothing twice`, async (t) => {
    const instance = await testInstance(t)
    const ctx = context()
    await runAndKill({ what: 'build', step, delayMs }, instance)
    await build(runner, { definition: standIn, instance }, ctx)
    const kinds = (await runner.list(instance, ctx)).map((one) => one.kind)
    assert.deepEqual(kinds.sort(), ['container', 'network', 'volume'])
    for (const undo of planUnbuild(planBuild(standIn, instance))) await runner.remove(undo, ctx)
    assert.equal(await runner.isAbsent(instance, ctx), true)
  })
}

const unbuilds: [step: string, delayMs: number][] = [
  ['container', 5],
  ['container', 100],
  ['container', 250],
  ['volume', 3],
  ['network', 3],
  ['network', 60],
]
for (const [step, delayMs] of unbuilds) {
  test(`an unbuild killed ${delayMs} ms into its ${step} step goes on where it was, and leaves nothing`, async (t) => {
    const instance = await testInstance(t)
    const ctx = context()
    const steps = await build(runner, { definition: standIn, instance }, ctx)
    await runAndKill({ what: 'unbuild', step, delayMs }, instance)
    for (const undo of planUnbuild(steps)) assert.equal((await runner.remove(undo, ctx)).isAbsent, true)
    assert.equal(await runner.isAbsent(instance, ctx), true)
  })
}
