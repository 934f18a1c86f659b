import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { planBuild } from '#domain/build-plan.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import type { DryRunState } from '#docker/dry-run-server.ts'
import { testRunnerContract } from './runner-contract.ts'
import { build, context, standIn, testInstance } from './support.ts'

const state: DryRunState = { objects: [], limits: {} }

testRunnerContract('dry run', {
  runner: createDryRunRunner({ state }),
  makeForeign: async (_t, kind, name) => {
    state.objects.push({ kind, name, externalId: `foreign:${name}`, labels: {} })
  },
  hasForeign: async (kind, name) =>
    state.objects.some(
      (one) => one.kind === kind && one.name === name && one.externalId.startsWith('foreign:'),
    ),
})

test('a dry run tells the calls it would have made, in order', async (t) => {
  const instance = await testInstance(t)
  const runner = createDryRunRunner()
  const steps = await build(runner, { definition: standIn, instance }, context())
  assert.deepEqual(
    runner.calls(),
    steps.map((step) => `ensure ${step.kind} ${step.name}`),
  )
})

test('a dry run kept in a file outlives its process', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'clouder-dry-run-'))
  t.after(() => rm(folder, { recursive: true }))
  const stateFile = join(folder, 'dry-run.json')
  const instance = await testInstance(t)
  await build(createDryRunRunner({ stateFile }), { definition: standIn, instance }, context())
  const revived = createDryRunRunner({ stateFile })
  assert.equal((await revived.observe(instance, context())).isRunning, true)
  const [network] = planBuild(standIn, instance)
  assert.ok(network)
  assert.equal((await revived.ensure(network, context())).isAdopted, true)
})
