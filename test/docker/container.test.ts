import assert from 'node:assert/strict'
import test from 'node:test'
import { planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import type { ApplicationDefinition } from '#domain/application.ts'
import {
  build,
  context,
  docker,
  dockerRunner,
  holdPort,
  standIn,
  standInWith,
  stepOf,
  testInstance,
} from './support.ts'

const runner = dockerRunner()

async function inspect(definition: ApplicationDefinition, instance: PlannedInstance) {
  return await docker.getContainer(stepOf(planBuild(definition, instance), 'container').name).inspect()
}

test('a container has the rights and limits of a guest, and its identity', async (t) => {
  const instance = await testInstance(t)
  await build(runner, { definition: standIn, instance }, context())
  const {
    Config: config,
    HostConfig: host,
    NetworkSettings: network,
    Mounts: mounts,
  } = await inspect(standIn, instance)
  assert.deepEqual(
    [host.CapDrop, host.CapAdd ?? [], host.SecurityOpt, host.Privileged, host.ReadonlyRootfs, host.Init],
    [['ALL'], [], ['no-new-privileges'], false, true, true],
  )
  assert.deepEqual(
    [host.Memory, host.MemorySwap, host.NanoCpus, host.PidsLimit],
    [64 * 1024 * 1024, 64 * 1024 * 1024, 500_000_000, 64],
  )
  assert.deepEqual(host.Ulimits, [{ Name: 'nofile', Hard: 16_384, Soft: 16_384 }])
  assert.deepEqual(host.LogConfig, { Type: 'json-file', Config: { 'max-file': '3', 'max-size': '10m' } })
  assert.equal(host.RestartPolicy?.Name, 'unless-stopped')
  assert.deepEqual(host.Tmpfs, { '/tmp': 'rw,noexec,nosuid,nodev,size=64m' })
  assert.deepEqual(host.PortBindings, {
    '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(instance.hostPort) }],
  })
  assert.deepEqual(Object.keys(network.Networks), [`${instance.environmentPrefix}_network`])
  assert.deepEqual(
    mounts.map((mount) => [mount.Type, mount.Name, mount.Destination]),
    [['volume', `${instance.environmentPrefix}_odoo_data`, '/data']],
  )
  assert.equal(config.User, '1000:1000')
  assert.deepEqual(config.Labels, {
    'io.clouder.application': 'odoo-stand-in',
    'io.clouder.component': 'web',
    'io.clouder.customer': 'cus_1',
    'io.clouder.environment': instance.environmentPrefix,
    'io.clouder.generation': '1',
    'io.clouder.installation': instance.installation,
    'io.clouder.instance': instance.instance,
    'io.clouder.managed': 'true',
    'io.clouder.subscription': 'sub_1',
  })
})

test('a port held by a foreign process is refused, and the same step succeeds once it is free', async (t) => {
  const held = await holdPort(0)
  const instance = await testInstance(t, { hostPort: held.port })
  const ref = { definition: standIn, instance }
  await assert.rejects(build(runner, ref, context()), { name: 'BusinessError', code: 'port_taken_on_server' })
  await held.close()
  await build(runner, ref, context())
  assert.equal((await runner.observe(instance, context())).isRunning, true)
})

test('a container that was made and never started, as by a killed worker, is adopted and started', async (t) => {
  const held = await holdPort(0)
  const instance = await testInstance(t, { hostPort: held.port })
  await assert.rejects(build(runner, { definition: standIn, instance }, context()))
  const { Id: id, State: state } = await inspect(standIn, instance)
  assert.equal(state.Status, 'created')
  await held.close()
  const outcome = await runner.ensure(stepOf(planBuild(standIn, instance), 'container'), context())
  assert.deepEqual([outcome.externalId, outcome.isAdopted], [id, true])
})

test('a step carried out twice at once makes one container, whoever comes first', async (t) => {
  const instance = await testInstance(t)
  const ctx = context()
  const steps = planBuild(standIn, instance)
  for (const step of steps.filter((one) => one.kind !== 'container' && one.kind !== 'ready')) {
    await Promise.all([runner.ensure(step, ctx), runner.ensure(step, ctx)])
  }
  const step = stepOf(steps, 'container')
  await Promise.allSettled([runner.ensure(step, ctx), runner.ensure(step, ctx)])
  assert.equal((await runner.ensure(step, ctx)).isAdopted, true)
  assert.deepEqual((await runner.list(instance, ctx)).map((one) => one.kind).sort(), [
    'container',
    'network',
    'volume',
  ])
})

test('a newer generation replaces the container and keeps the volume', async (t) => {
  const instance = await testInstance(t)
  const ctx = context()
  await build(runner, { definition: standIn, instance }, ctx)
  await runner.applyLimit({ definition: standIn, instance }, { code: 'users', value: 7 }, ctx)
  const before = await inspect(standIn, instance)
  const next = { ...instance, generation: 2 }
  await build(runner, { definition: standIn, instance: next }, ctx)
  assert.notEqual((await inspect(standIn, next)).Id, before.Id)
  assert.equal((await runner.readLimit({ definition: standIn, instance: next }, 'users', ctx)).inForce, 7)
  const stale = stepOf(planBuild(standIn, instance), 'container')
  await assert.rejects(runner.ensure(stale, ctx), /newer generation/)
})

test('other limits are set while a container runs, and it is the same container on the same volume', async (t) => {
  const instance = await testInstance(t)
  const ctx = context()
  await build(runner, { definition: standIn, instance }, ctx)
  const before = await inspect(standIn, instance)
  const [service = ''] = standIn.services.map(({ name }) => name)
  const limits = { [service]: { memoryMib: 96, cpus: 0.25, pids: 48 } }
  const step = stepOf(planBuild(standIn, { ...instance, limits }), 'container')
  assert.equal((await runner.ensure(step, ctx)).change, 'updated')
  const found = await inspect(standIn, instance)
  assert.deepEqual([found.Id, found.State.StartedAt], [before.Id, before.State.StartedAt])
  const { Memory, MemorySwap, NanoCpus, PidsLimit } = found.HostConfig
  assert.deepEqual(
    [Memory, MemorySwap, NanoCpus, PidsLimit],
    [96 * 1024 * 1024, 96 * 1024 * 1024, 0.25e9, 48],
  )
  assert.equal((await runner.ensure(step, ctx)).change, undefined)
})

test('a container that somebody made otherwise than planned is replaced when its step is carried out', async (t) => {
  const instance = await testInstance(t)
  const ctx = context()
  await build(runner, { definition: standIn, instance }, ctx)
  const before = await inspect(standIn, instance)
  const changed = standInWith({ environment: { GREETING: 'hello' } })
  const step = stepOf(planBuild(changed, instance), 'container')
  assert.equal((await runner.ensure(step, ctx)).change, 'replaced')
  const found = await inspect(changed, instance)
  assert.notEqual(found.Id, before.Id)
  assert.ok(found.Config.Env.includes('GREETING=hello'))
})

test('a container that ends by itself is told with its exit code and last lines, without its secrets', async (t) => {
  const definition = standInWith({
    command: ['/bin/sh', '-c', 'echo starting with $$WORD; exit 3'],
    environment: { WORD: '${WORD}' },
    healthCheck: null,
  })
  const instance = await testInstance(t)
  await assert.rejects(
    build(runner, { definition, instance }, context({ WORD: 'correct-horse' })),
    (error: Error) => {
      assert.equal('code' in error && error.code, 'container_exited')
      assert.match(error.message, /exit code 3.*starting with …/s)
      assert.doesNotMatch(error.message, /correct-horse/)
      return true
    },
  )
})

test('a program that is not in the image cannot run, and no retry helps', async (t) => {
  const instance = await testInstance(t)
  const definition = standInWith({ command: ['/bin/no-such-program'], hasInit: false })
  await assert.rejects(build(runner, { definition, instance }, context()), { code: 'container_exited' })
})

test('a health check that never turns green is not ready in time', async (t) => {
  const healthCheck = {
    test: ['CMD', '/bin/false'],
    intervalMs: 200,
    timeoutMs: 500,
    retries: 1,
    startPeriodMs: 0,
  }
  const definition = { ...standInWith({ healthCheck }), ready: { path: '/', timeoutS: 2 } }
  const instance = await testInstance(t)
  await assert.rejects(build(runner, { definition, instance }, context()), {
    name: 'BusinessError',
    code: 'not_ready_in_time',
    message: /unhealthy/,
  })
})

test('a path that answers with an error is not ready in time', async (t) => {
  const definition = { ...standIn, ready: { path: '/no-such-page', timeoutS: 2 } }
  const instance = await testInstance(t)
  await assert.rejects(build(runner, { definition, instance }, context()), {
    message: /no-such-page answers 404/,
  })
})

test('services reach each other by the names of the file, each instance its own', async (t) => {
  const one = await testInstance(t)
  const two = await testInstance(t, { environmentPrefix: one.environmentPrefix, name: 'second' })
  const [web] = standIn.services
  assert.ok(web)
  const healthCheck = {
    test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/cgi-bin/health'],
    intervalMs: 300,
    timeoutMs: 1_000,
    retries: 20,
    startPeriodMs: 0,
  }
  const definition: ApplicationDefinition = {
    ...standIn,
    services: [
      { ...web, dependsOn: [{ service: 'db', condition: 'healthy' }] },
      { ...web, name: 'db', healthCheck, mounts: [{ volume: 'store', path: '/data', isReadOnly: false }] },
    ],
    volumes: ['data', 'store'],
  }
  const ctx = context()
  for (const [index, instance] of [one, two].entries()) {
    await build(runner, { definition, instance }, ctx)
    const db = `${instance.environmentPrefix}_${instance.name}_db`
    await runner.execute({ container: db, argv: ['/bin/set-limit', 'users', String(index + 1)] }, ctx)
  }
  for (const [index, instance] of [one, two].entries()) {
    const container = `${instance.environmentPrefix}_${instance.name}_web`
    const argv = ['wget', '-q', '-O', '-', 'http://db:8080/cgi-bin/index.cgi']
    const { stdout } = await runner.execute({ container, argv }, ctx)
    assert.match(stdout, new RegExp(`<td>Users</td><td>0</td><td>${index + 1}</td>`))
  }
})
