import assert from 'node:assert/strict'
import test from 'node:test'
import { planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import { compareContainers, servicesUsing } from '#domain/replacement.ts'
import { shop, shopInstance } from './application-fixture.ts'

function effects(change: Partial<PlannedInstance>): Record<string, string> {
  const changes = compareContainers(
    planBuild(shop, shopInstance),
    planBuild(shop, { ...shopInstance, ...change }),
  )
  return Object.fromEntries(changes.map(({ service, effect }) => [service, effect]))
}

test('other limits of one service leave all containers in place, and are told with both values', () => {
  const change = { limits: { web: { memoryMib: 4096 } } }
  assert.deepEqual(effects(change), { database: 'kept', web: 'updated' })
  const [, web] = compareContainers(
    planBuild(shop, shopInstance),
    planBuild(shop, { ...shopInstance, ...change }),
  )
  assert.deepEqual(web?.differences, [{ key: 'memory_mib', wanted: '4096', running: '512' }])
})

test('what an operator gives to a service may be more than the ceiling of what files ask for', () => {
  const [web] = planBuild(shop, { ...shopInstance, limits: { web: { memoryMib: 16_384 } } }).filter(
    (step) => step.kind === 'container' && step.service === 'web',
  )
  assert.equal(web?.kind === 'container' && web.limits.memoryMib, 16_384)
})

test('another value of a variable replaces the containers that are made with it, and no other', () => {
  const greeting = {
    ...shop,
    services: shop.services.map((service) =>
      service.name === 'web'
        ? { ...service, environment: { ...service.environment, GREETING: '${GREETING:-hello}' } }
        : service,
    ),
  }
  const before = planBuild(greeting, { ...shopInstance, variables: { GREETING: 'good morning' } })
  const after = planBuild(greeting, { ...shopInstance, variables: { GREETING: 'good evening' } })
  assert.deepEqual(
    compareContainers(before, after).map(({ service, effect, differences }) => [
      service,
      effect,
      differences,
    ]),
    [
      ['database', 'kept', []],
      ['web', 'replaced', [{ key: 'environment.GREETING', wanted: 'good evening', running: 'good morning' }]],
    ],
  )
})

test('the first variable of an instance replaces no container that does not use it', () => {
  const short = {
    ...shop,
    services: shop.services.map((service) => ({ ...service, environment: { WORD: '$PASSWORD' } })),
  }
  const before = planBuild(short, shopInstance)
  const after = planBuild(short, { ...shopInstance, variables: { GREETING: 'hello' } })
  assert.ok(compareContainers(before, after).every(({ effect }) => effect === 'kept'))
})

test('a raised generation is on the container of its service alone', () => {
  const steps = planBuild(shop, { ...shopInstance, serviceGenerations: { web: 4 } })
  const generations = steps
    .filter((step) => step.kind === 'container')
    .map(({ service, labels }) => [service, labels['io.clouder.generation']])
  assert.deepEqual(generations, [
    ['database', '3'],
    ['web', '4'],
  ])
})

test('a secret is used by the services that name it, in whichever form', () => {
  assert.deepEqual(servicesUsing(shop, ['PASSWORD']), ['web', 'database'])
  assert.deepEqual(servicesUsing(shop, ['OTHER']), [])
  const passed = {
    services: shop.services.map((service) => ({ ...service, special: { passedOn: ['TOKEN'] } })),
  }
  assert.deepEqual(servicesUsing(passed, ['TOKEN']), ['web', 'database'])
})

test('of a value that holds a secret is only told that it is another one', () => {
  const passwords = (template: string) => ({
    ...shop,
    services: shop.services.map((service) => ({ ...service, environment: { URL: template } })),
  })
  const [change] = compareContainers(
    planBuild(passwords('db:${PASSWORD}'), shopInstance),
    planBuild(passwords('db:${PASSWORD:-none}@host'), shopInstance),
    new Set(['PASSWORD']),
  )
  assert.deepEqual(change?.differences, [{ key: 'environment.URL', wanted: '(secret)', running: '(secret)' }])
})
