import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { ApplicationDefinition, LimitDefinition } from '#domain/application.ts'
import { planBuild } from '#domain/build-plan.ts'
import { canHold, decideLimits, heldRateKbit, type Hold, type LimitStanding } from '#domain/limit-hold.ts'
import { soldResource } from '#domain/resource-limit.ts'
import { limitDefinition, shop, shopInstance } from './application-fixture.ts'

const disk: LimitDefinition = { code: 'disk', title: 'Disk', metric: 'disk', hard: 'read_only' }
const traffic: LimitDefinition = {
  code: 'traffic',
  title: 'Traffic',
  metric: 'network',
  hard: 'block_ingress',
  throttleKbit: 256,
}
const mails: LimitDefinition = { code: 'mails', title: 'Mails', metric: 'mails' }
const seats: LimitDefinition = { code: 'seats', title: 'Seats', isReserved: true }
const memory: LimitDefinition = { code: 'memory', title: 'Memory', service: 'web', resource: 'memory' }

const application: Pick<ApplicationDefinition, 'limits' | 'metrics'> = {
  limits: [disk, traffic, mails, seats, memory, limitDefinition],
  metrics: [
    {
      code: 'disk',
      title: 'Disk',
      unit: 'GiB',
      kind: 'gauge',
      aggregation: 'max',
      source: { type: 'volume-disk', volume: 'data' },
    },
  ],
}

test('a limit is sold as its application can hold it, and with a warning only in any case', () => {
  const ways = (limit: LimitDefinition) =>
    (['hard', 'throttle', 'soft'] as const).filter((enforcement) => canHold(limit, enforcement)).join(' ')
  const all = [limitDefinition, memory, seats, disk, traffic, mails]
  assert.deepEqual(all.map(ways), [
    'hard soft',
    'hard soft',
    'hard soft',
    'hard soft',
    'hard throttle soft',
    'soft',
  ])
})

function standing(code: string, overrides: Partial<LimitStanding> = {}): LimitStanding {
  const use = { used: '0', ceiling: '10' }
  return { code, enforcement: 'hard', use, isReached: false, hold: null, isSettled: false, ...overrides }
}

const full = { used: '10', ceiling: '10' }

const decisions: readonly [string, LimitStanding, Hold | null, 'running' | 'limited'][] = [
  ['a disk', standing('disk', { use: full }), { way: 'read_only', volume: 'data' }, 'limited'],
  ['hard traffic', standing('traffic', { use: full }), { way: 'block_ingress' }, 'limited'],
  [
    'throttled traffic',
    standing('traffic', { use: full, enforcement: 'throttle' }),
    { way: 'throttle_network', rateKbit: 256 },
    'limited',
  ],
  ['users, which the application refuses', standing('users', { use: full }), null, 'limited'],
  ['handed out seats', standing('seats', { use: full }), null, 'limited'],
  ['what is only warned of', standing('disk', { use: full, enforcement: 'soft' }), null, 'running'],
]

for (const [name, limit, hold, state] of decisions) {
  test(`${name} at its ceiling is held by ${hold?.way ?? 'nothing from outside'}, and the instance is ${state}`, () => {
    assert.deepEqual(decideLimits(application, { state: 'running', limits: [limit] }), {
      changed: [{ code: limit.code, isReached: true, hold }],
      state,
      isToBeHeld: hold !== null || state !== 'running',
    })
  })
}

test('what was held and is below its ceiling again is let go, and what was not measured stays', () => {
  const held = standing('disk', {
    isReached: true,
    isSettled: true,
    hold: { volume: 'data', way: 'read_only' },
  })
  const lifted = decideLimits(application, { state: 'limited', limits: [held] })
  assert.deepEqual(lifted, {
    changed: [{ code: 'disk', isReached: false, hold: null }],
    state: 'running',
    isToBeHeld: true,
  })
  const unmeasured = decideLimits(application, { state: 'limited', limits: [{ ...held, use: null }] })
  assert.deepEqual(unmeasured, { changed: [], state: 'limited', isToBeHeld: false })
})

test('what was begun and not seen in force is done again; what was refused for good is not', () => {
  const begun = standing('disk', { use: full, isReached: true, hold: { way: 'read_only', volume: 'data' } })
  const look = (isSettled: boolean) =>
    decideLimits(application, { state: 'limited', limits: [{ ...begun, isSettled }] }).isToBeHeld
  assert.deepEqual([look(false), look(true)], [true, false])
})

test('decided again after it was carried out, nothing changes', () => {
  const amount = fc.nat(20).map(String)
  const limits = fc.uniqueArray(
    fc.record({
      code: fc.constantFrom('disk', 'traffic', 'users', 'seats', 'mails'),
      enforcement: fc.constantFrom('hard' as const, 'throttle' as const, 'soft' as const),
      use: fc.option(fc.record({ used: amount, ceiling: amount })),
      isReached: fc.boolean(),
    }),
    { selector: ({ code }) => code },
  )
  fc.assert(
    fc.property(limits, (drawn) => {
      const before = drawn.map((limit) => ({ ...limit, hold: null, isSettled: false }))
      const first = decideLimits(application, { state: 'running', limits: before })
      const after = before.map((limit) => {
        const changed = first.changed.find(({ code }) => code === limit.code)
        return { ...limit, ...changed, isSettled: true }
      })
      const second = decideLimits(application, { state: first.state, limits: after })
      assert.deepEqual(second, { changed: [], state: first.state, isToBeHeld: false })
    }),
  )
})

const planned = (holds: readonly Hold[]) => planBuild(shop, { ...shopInstance, holds })
const webOf = (holds: readonly Hold[]) => {
  const web = planned(holds).find((step) => step.kind === 'container' && step.service === 'web')
  return web?.kind === 'container' ? web : assert.fail('there is a web container')
}

test('a held instance is planned held: volumes read only, no port, or no network, and is not asked at a port it has not', () => {
  const database = planned([{ way: 'read_only', volume: 'data' }]).find(
    (step) => step.kind === 'container' && step.service === 'database',
  )
  assert.deepEqual(database?.kind === 'container' && database.mounts.map(({ isReadOnly }) => isReadOnly), [
    true,
  ])
  assert.notEqual(webOf([]).publish, null)
  assert.equal(webOf([{ way: 'block_ingress' }]).publish, null)
  assert.deepEqual(
    [webOf([{ way: 'block_network' }]).isCutOff, webOf([{ way: 'block_network' }]).publish],
    [true, null],
  )
  const ready = planned([{ way: 'block_ingress' }]).find((step) => step.kind === 'ready')
  assert.equal(ready?.kind === 'ready' && ready.request, null)
})

test('a sold resource is what the container gets, and less than it runs with cannot be sold', () => {
  assert.deepEqual(soldResource('memory', '2', 'GiB'), { memoryMib: 2048 })
  assert.deepEqual(soldResource('cpus', '1.5', 'piece'), { cpus: 1.5 })
  assert.deepEqual(soldResource('pids', '64', 'piece'), { pids: 64 })
  assert.throws(() => soldResource('memory', '1', 'MiB'), { code: 'quantity_invalid' })
  assert.throws(() => soldResource('memory', '1', 'user'), { code: 'unit_not_convertible' })
})

test('of several limits that slow an instance down the slowest counts', () => {
  const slow = (rateKbit: number): Hold => ({ way: 'throttle_network', rateKbit })
  assert.equal(heldRateKbit([slow(512), { way: 'block_ingress' }, slow(64)]), 64)
  assert.equal(heldRateKbit([{ way: 'stop' }]), null)
  assert.equal(heldRateKbit(undefined), null)
})
