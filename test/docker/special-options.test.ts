import assert from 'node:assert/strict'
import test from 'node:test'
import { containerName, planBuild } from '#domain/build-plan.ts'
import type { ApplicationDefinition } from '#domain/application.ts'
import { parseApplication } from '#docker/compose/application.ts'
import { build, context, docker, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()

/** A compose file whose services are all made of the stand-in's image, which is built here. */
function application(compose: string, grants: readonly string[] = []): ApplicationDefinition {
  const definition = parseApplication({ code: 'odoo-stand-in', text: compose }, grants)
  const [image] = standIn.services
  if (image === undefined) throw new Error('the stand-in has no service')
  return { ...definition, services: definition.services.map((one) => ({ ...one, image: image.image })) }
}

const compose = `
services:
  migrate:
    image: local
    restart: "no"
    entrypoint: [/bin/sh, -c, 'echo "$$GREETING" > /data/greeting']
    environment: { GREETING: 'Hello \${NAME:-nobody}' }
    user: '1000:1000'
    volumes: [data:/data]
  web:
    image: local
    depends_on: { migrate: { condition: service_completed_successfully } }
    hostname: shop
    stop_signal: SIGTERM
    stop_grace_period: 3s
    shm_size: 32m
    ulimits: { nofile: 1024 }
    environment: [OPTIONAL, TOKEN]
    user: '1000:1000'
    volumes: [data:/data]
    configs: [{ source: site, target: /etc/site.conf, mode: 0444 }]
  proxy:
    image: local
    entrypoint: [/bin/sleep, '600']
    links: [web:www]
configs:
  site: { content: 'name=\${NAME:-nobody}; host=$$host' }
volumes: { data: }
x-clouder: { title: Shop, public: { service: web, port: 8080 }, ready: { path: /cgi-bin/health } }
`

test('jobs end before who waits for them begins, files are in the container, and all options are in force', async (t) => {
  const definition = application(compose)
  const instance = await testInstance(t)
  const ctx = context({ NAME: 'Ada', TOKEN: 'x' })
  const steps = await build(runner, { definition, instance }, ctx)
  const web = containerName(instance, 'web')
  const read = async (container: string, ...argv: string[]): Promise<string> =>
    (await runner.execute({ container, argv }, ctx)).stdout.trim()
  assert.equal(await read(web, '/bin/cat', '/data/greeting'), 'Hello Ada')
  assert.equal(await read(web, '/bin/cat', '/etc/site.conf'), 'name=Ada; host=$host')
  const { Config: config, HostConfig: host } = await docker.getContainer(web).inspect()
  assert.equal(config.Hostname, 'shop')
  assert.deepEqual(
    ['StopSignal', 'StopTimeout'].map((key) => Reflect.get(config, key)),
    ['SIGTERM', 3],
  )
  assert.equal(host.ShmSize, 32 * 1024 * 1024)
  assert.deepEqual(host.Ulimits, [{ Name: 'nofile', Soft: 1024, Hard: 1024 }])
  assert.ok(config.Env?.includes('TOKEN=x'))
  assert.ok(!config.Env?.some((one) => one.startsWith('OPTIONAL')), 'what has no value is left out')
  const answer = await read(
    containerName(instance, 'proxy'),
    '/bin/wget',
    '-qO-',
    'http://www:8080/cgi-bin/health',
  )
  assert.notEqual(answer, '', 'the further name of a link leads to the service')

  const observed = await runner.observe(instance, ctx)
  assert.equal(observed.isRunning, true, JSON.stringify(observed.containers))
  for (const step of steps)
    assert.equal((await runner.ensure(step, ctx)).isAdopted || step.kind === 'ready', true)
  await runner.stop({ definition, instance }, ctx)
  const started = await runner.start({ definition, instance }, ctx)
  const job = started.containers.find((one) => one.service === 'migrate')
  assert.deepEqual([job?.state, job?.exitCode, started.isRunning], ['exited', 0, true], 'a job is done once')
})

test('a job that ends badly stops the build with its last lines', async (t) => {
  const definition = application(
    compose.replace('echo "$$GREETING" > /data/greeting', 'echo no such table; exit 3'),
  )
  const instance = await testInstance(t)
  const steps = planBuild(definition, instance)
  const ctx = context()
  await assert.rejects(
    async () => {
      for (const step of steps) await runner.ensure(step, ctx)
    },
    { code: 'container_exited', message: /exit code 3[^]*no such table/ },
  )
})

test('a permission gives what it names, and the engine is held to the rest', async (t) => {
  const text = `
services:
  web:
    image: local
    cap_add: [NET_ADMIN]
    extra_hosts: ['up:host-gateway']
    volumes: [/etc/hostname:/etc/outer:ro]
    user: '1000:1000'
`
  const grants = ['capability:NET_ADMIN', 'host_gateway', 'host_path:/etc/hostname']
  assert.throws(() => application(text), { code: 'application_refused' })
  const definition = application(text, grants)
  const instance = await testInstance(t, { hostPort: null })
  await build(runner, { definition, instance }, context())
  const { HostConfig: host } = await docker.getContainer(containerName(instance, 'web')).inspect()
  assert.deepEqual(
    [host.CapDrop, host.CapAdd, host.SecurityOpt],
    [['ALL'], ['NET_ADMIN'], ['no-new-privileges']],
  )
  assert.deepEqual([host.ExtraHosts, host.Binds], [['up:host-gateway'], ['/etc/hostname:/etc/outer:ro']])
  assert.deepEqual(
    [host.Privileged, host.PidMode, host.NetworkMode],
    [false, '', `${instance.environmentPrefix}_network`],
  )
})
