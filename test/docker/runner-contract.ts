import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { planBuild, planUnbuild } from '#domain/build-plan.ts'
import type { Runner } from '#domain/runner.ts'
import { build, context, standIn, stepOf, testInstance } from './support.ts'

export interface RunnerHarness {
  readonly runner: Runner
  /** Puts an object of others under a name. */
  readonly makeForeign: (
    t: TestContext,
    kind: 'container' | 'volume' | 'network',
    name: string,
  ) => Promise<void>
  readonly hasForeign: (kind: 'container' | 'volume' | 'network', name: string) => Promise<boolean>
}

const kinds = ['network', 'volume', 'container'] as const

/** What every runner promises, whatever it runs on. */
export function testRunnerContract(name: string, { runner, makeForeign, hasForeign }: RunnerHarness): void {
  test(`${name}: a plan carried out twice makes everything once`, async (t) => {
    const instance = await testInstance(t)
    const ctx = context()
    const first = []
    const second = []
    for (const step of planBuild(standIn, instance)) first.push(await runner.ensure(step, ctx))
    for (const step of planBuild(standIn, instance)) second.push(await runner.ensure(step, ctx))
    assert.deepEqual(
      second.map((outcome) => outcome.externalId),
      first.map((outcome) => outcome.externalId),
    )
    const made = await runner.list(instance, ctx)
    assert.deepEqual(made.map((one) => one.kind).sort(), ['container', 'network', 'volume'])
    const managed = (await runner.listManaged(instance.installation, ctx)).map((one) => one.externalId)
    assert.ok(made.every((one) => managed.includes(one.externalId)))
    assert.deepEqual(await runner.listManaged('other-installation', ctx), [])
  })

  test(`${name}: what was built is adopted and said to be`, async (t) => {
    const instance = await testInstance(t)
    const ctx = context()
    const steps = await build(runner, { definition: standIn, instance }, ctx)
    for (const kind of kinds) {
      assert.equal((await runner.ensure(stepOf(steps, kind), ctx)).isAdopted, true, kind)
    }
  })

  test(`${name}: an instance that was unbuilt is absent, and unbuilding it again is a success`, async (t) => {
    const instance = await testInstance(t)
    const ctx = context()
    const steps = await build(runner, { definition: standIn, instance }, ctx)
    assert.equal(await runner.isAbsent(instance, ctx), false)
    for (const step of planUnbuild(steps)) {
      const outcome = await runner.remove(step, ctx)
      assert.deepEqual([outcome.isRemoved, outcome.isAbsent], [true, true], step.title)
    }
    assert.equal(await runner.isAbsent(instance, ctx), true)
    for (const step of planUnbuild(steps)) {
      const outcome = await runner.remove(step, ctx)
      assert.deepEqual([outcome.isRemoved, outcome.isAbsent], [false, true], step.title)
    }
  })

  for (const kind of kinds) {
    test(`${name}: a foreign ${kind} of our name is neither adopted nor removed`, async (t) => {
      const instance = await testInstance(t)
      const ctx = context()
      const steps = planBuild(standIn, instance)
      const step = stepOf(steps, kind)
      for (const before of steps.slice(0, steps.indexOf(step))) await runner.ensure(before, ctx)
      await makeForeign(t, kind, step.name)
      await assert.rejects(runner.ensure(step, ctx), { name: 'BusinessError', code: 'name_taken_on_server' })
      await assert.rejects(runner.remove(step, ctx), { name: 'BusinessError', code: 'name_taken_on_server' })
      assert.equal(await hasForeign(kind, step.name), true)
    })
  }

  test(`${name}: the network stays as long as another instance of the environment uses it`, async (t) => {
    const one = await testInstance(t)
    const other = await testInstance(t, { environmentPrefix: one.environmentPrefix, name: 'second' })
    const ctx = context()
    const steps = await build(runner, { definition: standIn, instance: one }, ctx)
    const otherSteps = await build(runner, { definition: standIn, instance: other }, ctx)
    for (const step of planUnbuild(steps)) await runner.remove(step, ctx)
    assert.equal(await runner.isAbsent(one, ctx), true)
    assert.deepEqual((await runner.list(other, ctx)).map((found) => found.kind).sort(), [
      'container',
      'network',
      'volume',
    ])
    const outcomes = []
    for (const step of planUnbuild(otherSteps)) outcomes.push(await runner.remove(step, ctx))
    assert.ok(outcomes.every((outcome) => outcome.isAbsent))
  })

  test(`${name}: a stopped instance is observed stopped, a started one running`, async (t) => {
    const instance = await testInstance(t)
    const ref = { definition: standIn, instance }
    const ctx = context()
    const steps = await build(runner, ref, ctx)
    assert.equal((await runner.stop(ref, ctx)).isStopped, true)
    assert.equal((await runner.stop(ref, ctx)).isStopped, true)
    assert.equal((await runner.observe(instance, ctx)).isRunning, false)
    await runner.start(ref, ctx)
    await runner.ensure(stepOf(steps, 'ready'), ctx)
    const { containers, isRunning } = await runner.observe(instance, ctx)
    assert.deepEqual(
      [isRunning, containers[0]?.service, containers[0]?.hostPort],
      [true, 'web', instance.hostPort],
    )
  })

  test(`${name}: a limit is what the instance says it is`, async (t) => {
    const instance = await testInstance(t)
    const ref = { definition: standIn, instance }
    const ctx = context()
    await build(runner, ref, ctx)
    const applied = await runner.applyLimit(ref, { code: 'users', value: 5 }, ctx)
    assert.deepEqual([applied.inForce, applied.inUse], [5, 0])
    assert.deepEqual(applied.commands[0]?.argv, ['/bin/set-limit', 'users', '5'])
    assert.equal((await runner.readLimit(ref, 'users', ctx)).inForce, 5)
    assert.equal((await runner.readLimit(ref, 'emails', ctx)).inForce, 0)
    await assert.rejects(runner.applyLimit(ref, { code: 'cars', value: 1 }, ctx), { code: 'limit_unknown' })
    await assert.rejects(runner.applyLimit(ref, { code: 'users', value: -1 }, ctx), {
      code: 'quantity_not_whole',
    })
  })

  test(`${name}: each metric of a running instance yields a reading`, async (t) => {
    const instance = await testInstance(t)
    const ref = { definition: standIn, instance }
    const ctx = context()
    await build(runner, ref, ctx)
    const { readings, failures } = await runner.readMetrics(ref, ctx)
    assert.deepEqual(failures, [])
    assert.deepEqual(readings.map((one) => `${one.metric} ${one.unit} ${one.source}`).sort(), [
      'disk B volume-disk',
      'network B engine-network',
    ])
    assert.ok(readings.every((one) => /^\d+$/.test(one.value)))
    assert.equal(new Set(readings.map((one) => one.series)).size, 2)
  })

  test(`${name}: a port held by another instance is refused, and taken once it is free`, async (t) => {
    const holder = await testInstance(t)
    const instance = await testInstance(t, { hostPort: holder.hostPort })
    const ctx = context()
    const held = await build(runner, { definition: standIn, instance: holder }, ctx)
    await assert.rejects(build(runner, { definition: standIn, instance }, ctx), {
      name: 'BusinessError',
      code: 'port_taken_on_server',
    })
    await runner.remove(stepOf(held, 'container'), ctx)
    await build(runner, { definition: standIn, instance }, ctx)
    assert.equal((await runner.observe(instance, ctx)).containers.length, 1)
  })

  test(`${name}: a container without its volume is not made`, async (t) => {
    const instance = await testInstance(t)
    const ctx = context()
    const steps = planBuild(standIn, instance)
    await runner.ensure(stepOf(steps, 'network'), ctx)
    await runner.ensure(stepOf(steps, 'image'), ctx)
    await assert.rejects(runner.ensure(stepOf(steps, 'container'), ctx), /volume .* is not there/)
  })

  test(`${name}: a step whose caller has gone is not carried out`, async (t) => {
    const instance = await testInstance(t)
    const ctx = { ...context(), abortSignal: AbortSignal.abort(new Error('gone')) }
    await assert.rejects(runner.ensure(stepOf(planBuild(standIn, instance), 'volume'), ctx), /gone/)
    assert.equal(await runner.isAbsent(instance, context()), true)
  })
}
