import assert from 'node:assert/strict'
import test from 'node:test'
import { stringify } from 'yaml'
import { exportCompose } from '#domain/compose-export.ts'
import { containerName } from '#domain/build-plan.ts'
import { checkApplication, parseApplication } from '#docker/compose/application.ts'
import { build, context, docker, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()
const [image] = standIn.services

const compose = `
services:
  prepare:
    image: local
    restart: "no"
    entrypoint: [/bin/sh, -c, 'echo "$$GREETING" > /data/greeting']
    environment: { GREETING: 'Hello \${NAME:-nobody}, $$5' }
    user: '1000:1000'
    volumes: [data:/data]
  web:
    image: local
    depends_on: { prepare: { condition: service_completed_successfully } }
    environment: { PASSWORD: '\${PASSWORD}', TOKEN: }
    user: '1000:1000'
    mem_limit: 48m
    volumes: [data:/data]
    healthcheck: { test: [CMD, /bin/true], interval: 1s }
    configs: [{ source: site, target: /etc/site.conf, mode: 0444 }]
configs:
  site: { content: 'name=\${NAME:-nobody}; host=$$host' }
volumes: { data: }
x-clouder:
  title: Shop
  secrets: [{ name: PASSWORD, length: 20 }, { name: TOKEN, length: 20 }]
  public: { service: web, port: 8080 }
`

test('what is exported is a plain compose file that is read as the same services, and runs', async (t) => {
  const definition = parseApplication({ code: 'shop', text: compose })
  const images = { 'local:latest': image?.image.reference ?? '' }
  const secrets = { PASSWORD: 'p$ss', TOKEN: 't0ken' }
  const exported = exportCompose({
    definition,
    values: { NAME: 'Ada', ...secrets },
    hostPort: 12_345,
    images,
  })
  assert.deepEqual(exported.variables, [])
  assert.deepEqual(exported.localImages, [])
  const text = stringify(exported.compose)
  const checked = checkApplication({ code: 'shop', text }, [])
  assert.equal(checked.status, 'accepted', JSON.stringify(checked.findings))
  assert.equal(checked.definition?.services.find(({ name }) => name === 'web')?.memoryMib, 48)
  const again = checked.definition
  assert.ok(again)
  const instance = await testInstance(t)
  // The stand-in's image is made by what builds it first.
  await build(runner, { definition: standIn, instance: await testInstance(t) }, context())
  await build(runner, { definition: again, instance }, context())
  const read = async (argv: string[]) =>
    (await runner.execute({ container: containerName(instance, 'web'), argv }, context())).stdout
  assert.equal(await read(['/bin/cat', '/data/greeting']), 'Hello Ada, $5\n')
  assert.equal(await read(['/bin/cat', '/etc/site.conf']), 'name=Ada; host=$host')
  const found = await docker.getContainer(containerName(instance, 'web')).inspect()
  assert.ok(found.Config.Env.includes('PASSWORD=p$ss'))
  assert.ok(found.Config.Env.includes('TOKEN=t0ken'))
  assert.equal(found.HostConfig.Memory, 48 * 1024 * 1024)
})

test('secrets that are left out are variables without a value, and named', () => {
  const definition = parseApplication({ code: 'shop', text: compose })
  const exported = exportCompose({ definition, values: { PASSWORD: null }, hostPort: null })
  assert.deepEqual(exported.variables, ['PASSWORD', 'TOKEN'])
  assert.ok(!JSON.stringify(exported.compose).includes('ports'))
})
