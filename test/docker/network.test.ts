import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import { overlaps } from '#domain/subnet.ts'
import { listRoutes, readRoutes } from '#docker/held-ranges.ts'
import { build, context, docker, dockerRunner, standIn, stepOf, testInstance } from './support.ts'

const runner = dockerRunner()
let ranges = 0

/** Of this process alone, among those that no test of an installation plans with. */
function ownRange(prefixLength: number): string {
  ranges += 1
  return `10.${120 + (process.pid % 60)}.${ranges}.0/${prefixLength}`
}

async function holdRange(t: TestContext, subnet: string): Promise<() => Promise<void>> {
  const network = await docker.createNetwork({
    Name: `foreign-${process.pid}-${ranges}`,
    IPAM: { Config: [{ Subnet: subnet }] },
  })
  const remove = async (): Promise<void> => await network.remove().catch(() => undefined)
  t.after(remove)
  return remove
}

async function networkOf(instance: PlannedInstance) {
  return await docker.getNetwork(stepOf(planBuild(standIn, instance), 'network').name).inspect()
}

test('a network has the addresses that are planned, and its containers have some of them', async (t) => {
  const subnet = ownRange(26)
  const instance = await testInstance(t, { subnet })
  await build(runner, { definition: standIn, instance }, context())
  const { IPAM, Containers } = await networkOf(instance)
  assert.deepEqual(
    IPAM?.Config?.map((config) => config.Subnet),
    [subnet],
  )
  const addresses = Object.values(Containers ?? {}).map((one) => one.IPv4Address)
  assert.equal(addresses.length, 1)
  assert.ok(addresses.every((address) => overlaps(address.replace(/\/.*/, '/32'), subnet)))
  assert.ok((await runner.listRanges(context())).some(({ range }) => range === subnet))
})

test('addresses that another network has are refused by name, nothing is made, and they are had once they are free', async (t) => {
  const subnet = ownRange(26)
  const free = await holdRange(t, subnet.replace('/26', '/24'))
  const instance = await testInstance(t, { subnet })
  const step = stepOf(planBuild(standIn, instance), 'network')
  await assert.rejects(runner.ensure(step, context()), {
    code: 'subnet_taken_on_server',
    message: /network foreign-\S+ has 10\.\d+\.\d+\.0\/24/,
  })
  assert.equal(await runner.isAbsent(instance, context()), true)
  await free()
  await runner.ensure(step, context())
})

test('addresses that the host has a route to are refused, though the engine would take them over', async (t) => {
  const route = (await listRoutes()).find(({ range }) => Number(range.split('/')[1]) <= 28)
  assert.ok(route, 'a machine with an engine has a network')
  const instance = await testInstance(t, { subnet: route.range.replace(/\/.*/, '/28') })
  await assert.rejects(runner.ensure(stepOf(planBuild(standIn, instance), 'network'), context()), {
    code: 'subnet_taken_on_server',
  })
})

test('a network that is there keeps its addresses, whatever is planned by now', async (t) => {
  const instance = await testInstance(t)
  await runner.ensure(stepOf(planBuild(standIn, instance), 'network'), context())
  const before = await networkOf(instance)
  const planned = { ...instance, subnet: ownRange(26) }
  const outcome = await runner.ensure(stepOf(planBuild(standIn, planned), 'network'), context())
  assert.deepEqual([outcome.externalId, outcome.isAdopted], [before.Id, true])
})

test('two steps that make the network at once make one', async (t) => {
  const instance = await testInstance(t, { subnet: ownRange(26) })
  const step = stepOf(planBuild(standIn, instance), 'network')
  const outcomes = await Promise.all([1, 2, 3].map(async () => await runner.ensure(step, context())))
  assert.equal(new Set(outcomes.map(({ externalId }) => externalId)).size, 1)
})

test('a container for which no address is left is refused, and not tried for ever', async (t) => {
  const subnet = ownRange(30)
  const first = await testInstance(t, { subnet })
  const second = await testInstance(t, { subnet, environmentPrefix: first.environmentPrefix, name: 'second' })
  await build(runner, { definition: standIn, instance: first }, context())
  await assert.rejects(build(runner, { definition: standIn, instance: second }, context()), {
    code: 'subnet_full',
  })
})

test('routes are read as Linux writes them, but for the one to everywhere', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0',
    '',
  ]
  assert.deepEqual(readRoutes(table.join('\n')), [
    { range: '192.0.2.0/24', holder: 'route of eth0' },
    { range: '10.0.0.0/8', holder: 'route of tun0' },
  ])
  assert.deepEqual(readRoutes(''), [])
})
