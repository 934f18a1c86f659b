import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import {
  containerName,
  planBuild,
  planUnbuild,
  volumeName,
  type BuildStep,
  type ContainerStep,
} from '#domain/build-plan.ts'
import { serviceDefinition, shop, shopInstance } from './application-fixture.ts'

function containers(steps: readonly BuildStep[]): ContainerStep[] {
  return steps.filter((step) => step.kind === 'container')
}

test('a plan makes the network, volumes, images, containers after what they depend on, and looks at the end', () => {
  assert.deepEqual(
    planBuild(shop, shopInstance).map((step) => `${step.kind} ${step.name}`),
    [
      'network acme_network',
      'volume acme_shop-1_data',
      'image database:1',
      'image web:1',
      'container acme_shop-1_database',
      'container acme_shop-1_web',
      'ready acme_shop-1',
    ],
  )
})

test('a plan is undone backwards: containers, volumes, the network; images and looks leave nothing to undo', () => {
  assert.deepEqual(
    planUnbuild(planBuild(shop, shopInstance)).map((step) => step.name),
    ['acme_shop-1_web', 'acme_shop-1_database', 'acme_shop-1_data', 'acme_network'],
  )
})

test('only what was made is undone', () => {
  const made = planBuild(shop, shopInstance).slice(0, 5)
  assert.deepEqual(
    planUnbuild(made).map((step) => step.name),
    ['acme_shop-1_database', 'acme_shop-1_data', 'acme_network'],
  )
  assert.deepEqual(planUnbuild([]), [])
})

test('containers and volumes carry whose they are; the network only what its instances share', () => {
  const shared = {
    'io.clouder.managed': 'true',
    'io.clouder.installation': 'inst_1',
    'io.clouder.customer': 'cus_1',
    'io.clouder.environment': 'acme',
  }
  const own = {
    ...shared,
    'io.clouder.subscription': 'sub_1',
    'io.clouder.instance': 'ins_1',
    'io.clouder.application': 'shop',
  }
  const labels = new Map(planBuild(shop, shopInstance).map((step) => [step.name, step.labels]))
  assert.deepEqual(labels.get('acme_network'), shared)
  assert.deepEqual(labels.get('acme_shop-1_data'), { ...own, 'io.clouder.component': 'data' })
  assert.deepEqual(labels.get('acme_shop-1_web'), {
    ...own,
    'io.clouder.component': 'web',
    'io.clouder.generation': '3',
  })
})

test('only the public service is published, on the port of the instance', () => {
  const [database, web] = containers(planBuild(shop, shopInstance))
  assert.deepEqual([database?.publish, web?.publish], [null, { port: 8080, hostPort: 20_001 }])
  const hidden = planBuild(shop, { ...shopInstance, hostPort: null })
  assert.ok(containers(hidden).every((step) => step.publish === null))
  assert.deepEqual(hidden.find((step) => step.kind === 'ready')?.request, null)
})

test('a container knows its peers by the names of the file, and waits by the names on the server', () => {
  const web = containers(planBuild(shop, shopInstance)).find((step) => step.service === 'web')
  assert.deepEqual(web?.peers, [{ service: 'database', container: 'acme_shop-1_database' }])
  assert.deepEqual(web?.dependsOn, [{ service: 'acme_shop-1_database', condition: 'started' }])
})

test('a plan holds names of secrets, never values, and survives JSON', () => {
  const steps = planBuild(shop, shopInstance)
  assert.deepEqual(JSON.parse(JSON.stringify(steps)), steps)
  assert.equal(containers(steps)[0]?.environment['PASSWORD'], '${PASSWORD}')
})

test('who asks for nothing gets the defaults, who asks for less gets less', () => {
  const [database] = containers(planBuild(shop, shopInstance))
  assert.deepEqual(database?.limits, { memoryMib: 512, cpus: 1, pids: 256 })
  const ceiling = { memoryMib: 256, cpus: 0.5, pids: 100 }
  const [small] = containers(planBuild(shop, { ...shopInstance, ceiling }))
  assert.deepEqual(small?.limits, ceiling)
})

test('a service that asks for more than the instance may have is refused, not cut', () => {
  const definition = { ...shop, services: [{ ...serviceDefinition('web'), memoryMib: 8192 }] }
  assert.throws(() => planBuild(definition, shopInstance), {
    code: 'application_refused',
    message: /asks for memoryMib 8192, the instance may have 4096/,
  })
})

for (const part of ['', 'a_b', 'Acme', '-a', 'a-', 'a b', '../a', 'a'.repeat(41)]) {
  test(`${JSON.stringify(part)} cannot be a part of a name`, () => {
    assert.throws(() => planBuild(shop, { ...shopInstance, environmentPrefix: part }), {
      code: 'field_invalid',
    })
    assert.throws(() => planBuild(shop, { ...shopInstance, name: part }), { code: 'field_invalid' })
  })
}

test('two instances never mean the same name', () => {
  const part = fc.stringMatching(/^[a-z]([a-z-]{0,3}[a-z])?$/)
  const service = fc.stringMatching(/^[a-z][a-z_.-]{0,4}$/)
  const names = fc.tuple(part, part, service)
  fc.assert(
    fc.property(names, names, (one, other) => {
      const of = ([environmentPrefix, name, last]: [string, string, string]): string[] => {
        const instance = { ...shopInstance, environmentPrefix, name }
        return [containerName(instance, last), volumeName(instance, last)]
      }
      const isSame = JSON.stringify(one) === JSON.stringify(other)
      assert.equal(JSON.stringify(of(one)) === JSON.stringify(of(other)), isSame)
    }),
  )
})
