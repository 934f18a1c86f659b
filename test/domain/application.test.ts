import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { limitCommand, orderServices } from '#domain/application.ts'
import { limitDefinition, serviceDefinition } from './application-fixture.ts'

test('services come after all they depend on, and in the order of the file otherwise', () => {
  const web = serviceDefinition('web', ['database', 'cache'])
  const names = orderServices([web, serviceDefinition('cache'), serviceDefinition('database')]).map(
    (one) => one.name,
  )
  assert.deepEqual(names, ['cache', 'database', 'web'])
})

test('services that depend on each other in a circle, or on nothing that is there, are refused', () => {
  const circle = [serviceDefinition('a', ['b']), serviceDefinition('b', ['a'])]
  assert.throws(() => orderServices(circle), { code: 'application_refused', message: /among a, b/ })
  assert.throws(() => orderServices([serviceDefinition('a', ['gone'])]), { code: 'application_refused' })
})

test('any services without a circle are all placed, each after its dependencies', () => {
  const graph = fc.array(fc.array(fc.nat(20)), { maxLength: 12 }).map((edges) =>
    edges.map((on, index) => {
      const earlier = on.filter((other) => other < index).map((other) => `s${other}`)
      return serviceDefinition(`s${index}`, [...new Set(earlier)])
    }),
  )
  fc.assert(
    fc.property(graph, fc.nat(), (services, turn) => {
      const turned = [
        ...services.slice(turn % (services.length || 1)),
        ...services.slice(0, turn % (services.length || 1)),
      ]
      const ordered = orderServices(turned).map((one) => one.name)
      assert.equal(ordered.length, services.length)
      for (const service of services) {
        const own = ordered.indexOf(service.name)
        assert.ok(service.dependsOn.every((on) => ordered.indexOf(on.service) < own))
      }
    }),
  )
})

test('a limit is one argument of its own in the command that sets it', () => {
  assert.deepEqual(limitCommand(limitDefinition, 5), ['/bin/set-limit', 'users', '5'])
  assert.deepEqual(limitCommand({ ...limitDefinition, set: ['/bin/x', 'a{value}'] }, 5), [
    '/bin/x',
    'a{value}',
  ])
})

for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
  test(`a limit of ${value} is refused`, () => {
    assert.throws(() => limitCommand(limitDefinition, value), { code: 'quantity_not_whole' })
  })
}
