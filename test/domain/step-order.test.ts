import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { ApplicationDefinition } from '#domain/application.ts'
import { planBackup, planSafeUnbuild } from '#domain/backup-plan.ts'
import { planBuild, planSale, planUnbuild, type PlannedInstance } from '#domain/build-plan.ts'
import {
  dependentsOf,
  orderBuild,
  orderInTurn,
  orderUnbuild,
  reverseOrder,
  stepsToBegin,
  type PlacedStep,
  type StepOrder,
} from '#domain/step-order.ts'
import { serviceDefinition, shop, shopInstance } from './application-fixture.ts'

function placed(sequence: number, name: string, definition = shop): PlacedStep[] {
  const instance: PlannedInstance = { ...shopInstance, instance: name, name }
  return planBuild(definition, instance).map((step) => ({ sequence, step }))
}

/** What each step waits for, in words. */
function inWords(steps: readonly PlacedStep[], order: StepOrder): Record<string, string[]> {
  const nameOf = (at: number): string => {
    const { step } = steps[at] ?? assert.fail(`there is no step ${at}`)
    return `${step.kind} ${step.name.replace(/^acme_/, '')}`
  }
  return Object.fromEntries(order.map((before, at) => [nameOf(at), before.map(nameOf)]))
}

test('networks, volumes and images wait for nothing, a container for what it uses, the ready check for all containers', () => {
  const steps = placed(0, 'shop-1')
  assert.deepEqual(inWords(steps, orderBuild(steps)), {
    'network network': [],
    'volume shop-1_data': [],
    'image database:1': [],
    'image web:1': [],
    'container shop-1_database': ['network network', 'volume shop-1_data', 'image database:1'],
    'container shop-1_web': ['network network', 'image web:1', 'container shop-1_database'],
    'ready shop-1': ['container shop-1_database', 'container shop-1_web'],
  })
})

test('an installation becomes a peer once it is ready, and is let go before it is saved', () => {
  const definition: ApplicationDefinition = {
    ...shop,
    peer: { service: 'web', command: ['invite'], address: null },
  }
  const steps = planSale(definition, shopInstance)
  const peer = steps.at(-1)
  assert.equal(peer?.kind, 'peer')
  const built = steps.map((step) => ({ sequence: 0, step }))
  assert.deepEqual(inWords(built, orderBuild(built))['peer shop-1'], ['ready shop-1'])
  const backup = planBackup(definition, shopInstance, ['data']) ?? assert.fail('there is no backup')
  const back = planSafeUnbuild(steps, [backup]).map((step) => ({ sequence: 0, step }))
  assert.deepEqual(
    back.map(({ step }) => step.kind),
    ['peer', 'backup', 'container', 'container', 'volume', 'network'],
  )
  assert.deepEqual(inWords(back, orderUnbuild(back))['backup shop-1'], ['peer shop-1'])
})

test('containers that do not depend on each other wait for none of them', () => {
  const definition = { ...shop, services: [serviceDefinition('web'), serviceDefinition('database')] }
  const steps = placed(0, 'shop-1', definition)
  const words = inWords(steps, orderBuild(steps))
  assert.deepEqual(words['container shop-1_web'], ['network network', 'image web:1'])
  assert.deepEqual(words['container shop-1_database'], ['network network', 'image database:1'])
})

test('volumes are filled before the containers that use them', () => {
  const copy = { volume: 'data', location: 'kept', bytes: 1, sha256: 'aa' }
  const instance = { ...shopInstance, restoreFrom: [copy] }
  const steps = planBuild(shop, instance).map((step) => ({ sequence: 0, step }))
  const words = inWords(steps, orderBuild(steps))
  assert.deepEqual(words['restore shop-1'], ['volume shop-1_data'])
  assert.ok(words['container shop-1_database']?.includes('restore shop-1'))
})

test('a higher sequence waits until all of a lower one is ready; what is equal does not wait', () => {
  const steps = [
    ...placed(10, 'database'),
    ...placed(20, 'files'),
    ...placed(20, 'mail'),
    ...placed(30, 'application'),
  ]
  const words = inWords(steps, orderBuild(steps))
  assert.deepEqual(words['volume files_data'], ['ready database'])
  assert.deepEqual(words['volume mail_data'], ['ready database'])
  assert.deepEqual(words['volume application_data'], ['ready files', 'ready mail'])
})

test('what several instances share is made by the first of them', () => {
  const steps = [...placed(0, 'one'), ...placed(0, 'other')]
  const order = orderBuild(steps)
  const networks = steps.flatMap(({ step }, at) => (step.kind === 'network' ? [order[at]] : []))
  assert.deepEqual(networks, [[], [0]])
})

test('the way back saves first, removes who needs before what is needed, and a higher sequence first', () => {
  const low = { ...shopInstance, name: 'low' }
  const high = { ...shopInstance, name: 'high' }
  const backup = planBackup(shop, low, ['data']) ?? assert.fail('nothing to save')
  const steps = [
    { sequence: Infinity, step: backup },
    ...planUnbuild(planBuild(shop, high)).map((step) => ({ sequence: 20, step })),
    ...planUnbuild(planBuild(shop, low)).map((step) => ({ sequence: 10, step })),
  ]
  const words = inWords(steps, orderUnbuild(steps))
  assert.deepEqual(words['container high_web'], ['backup low'])
  assert.deepEqual(words['container high_database'], ['container high_web'])
  assert.deepEqual(words['volume high_data'], ['container high_database'])
  assert.deepEqual(words['container low_web'], ['volume high_data', 'network network'])
})

test('a plan that says nothing is walked one by one', () => {
  assert.deepEqual(orderInTurn(3), [[], [0], [1]])
})

test('backwards, each waits for those that waited for it', () => {
  assert.deepEqual(reverseOrder([[], [], [0, 1], [2]]), [[2], [2], [3], []])
})

test('what is carried out once more takes along all that wait for it, also through others', () => {
  assert.deepEqual(dependentsOf([[], [], [0, 1], [2], [1]], 0), [0, 2, 3])
  assert.deepEqual(dependentsOf([[], [], [0, 1], [2], [1]], 4), [4])
})

test('only so many are under way at once', () => {
  const order = [[], [], [], []]
  const walked = { begun: new Set([0, 1]), ended: new Set([0]) }
  assert.deepEqual(stepsToBegin(order, walked, 2), [2])
  assert.deepEqual(stepsToBegin(order, walked, 1), [])
})

const instances = fc
  .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 })
  .map((sequences) =>
    sequences
      .toSorted((first, second) => first - second)
      .flatMap((sequence, at) => placed(sequence, `i${at}`)),
  )

test('however the steps end, a walk comes to its end, no step before one it waits for, lower sequences first', () => {
  const atOnce = fc.integer({ min: 1, max: 4 })
  fc.assert(
    fc.property(instances, atOnce, fc.infiniteStream(fc.nat()), (steps, most, chance) => {
      const order = orderBuild(steps)
      const begun = new Set<number>()
      const ended = new Set<number>()
      const running: number[] = []
      while (ended.size < steps.length) {
        for (const at of stepsToBegin(order, { begun, ended }, most)) {
          const lower = steps.flatMap(({ sequence }, other) =>
            sequence < (steps[at]?.sequence ?? 0) ? [other] : [],
          )
          assert.ok([...(order[at] ?? []), ...lower].every((before) => ended.has(before)))
          begun.add(at)
          running.push(at)
        }
        assert.ok(running.length > 0 && running.length <= most)
        const [over] = running.splice((chance.next().value ?? 0) % running.length, 1)
        ended.add(over ?? assert.fail())
      }
    }),
  )
})
