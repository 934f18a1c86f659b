import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import test, { type TestContext } from 'node:test'
import { containerName, type PlannedInstance } from '#domain/build-plan.ts'
import { ensureBase } from '#docker/base-image.ts'
import { judge, tryIsolation } from '#docker/isolation.ts'
import { build, context, docker, dockerRunner, standIn, testInstance } from './support.ts'

const runner = dockerRunner()

function serviceOf(instance: PlannedInstance): string {
  return containerName(instance, 'web')
}

/** What somebody who has a container of his own can do in it. */
function guestIn(instance: PlannedInstance) {
  const run = async (...argv: string[]) =>
    await runner.execute({ container: serviceOf(instance), argv }, context())
  return {
    run,
    connects: async (host: string, port: number) =>
      (await run('nc', '-w', '2', host, String(port), '-e', '/bin/true')).exitCode === 0,
  }
}

async function facts(instance: PlannedInstance) {
  const { NetworkSettings } = await docker.getContainer(serviceOf(instance)).inspect()
  const [network] = Object.values(NetworkSettings.Networks)
  return { address: network?.IPAddress ?? '', gateway: network?.Gateway ?? '' }
}

/** Where this machine can be asked from inside: at the bridges of both networks, and at its own addresses. */
function hostAddresses(...gateways: string[]): string[] {
  // Bridges of other tests come and go: an address that is gone by now would lead out of this machine.
  const lasting = Object.entries(networkInterfaces()).filter(([name]) => !/^(br-|own|veth)/.test(name))
  const own = lasting
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
  return [...new Set([...gateways, ...own])]
}

/** Listens as the API does: on this machine alone. */
async function startApi(t: TestContext): Promise<number> {
  const server = createServer((_req, res) => res.end('the API')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

test('a hostile container reaches no other environment: not by address, not by name, not by its published port', async (t) => {
  const [own, other] = [await testInstance(t), await testInstance(t)]
  for (const instance of [own, other]) await build(runner, { definition: standIn, instance }, context())
  const guest = guestIn(own)
  const [here, there] = [await facts(own), await facts(other)]
  // What is tried does reach where it may: itself, by its address.
  assert.equal(await guest.connects(here.address, 8080), true)
  const targets: [string, number][] = [
    [there.address, 8080],
    [serviceOf(other), 8080],
    ...hostAddresses(here.gateway, there.gateway).map((host): [string, number] => [
      host,
      other.hostPort ?? 0,
    ]),
  ]
  const reached = await Promise.all(
    targets.map(async ([host, port]) => ((await guest.connects(host, port)) ? `${host}:${port}` : null)),
  )
  assert.deepEqual(
    reached.filter((one) => one !== null),
    [],
  )
  // A name that is not its own is nobody's, even as a link.
  assert.notEqual((await guest.run('nslookup', serviceOf(other))).exitCode, 0)
})

test('a hostile container reaches neither API nor Temporal nor PostgreSQL nor the engine, at no address of the machine', async (t) => {
  const own = await testInstance(t)
  await build(runner, { definition: standIn, instance: own }, context())
  const guest = guestIn(own)
  const { gateway } = await facts(own)
  const portOf = (url: string): number => Number(/:(\d+)(?:\/|$)/.exec(url)?.[1])
  const services: [string, number][] = [
    ['API', await startApi(t)],
    ['Temporal', portOf(process.env['CLOUDER_TEST_TEMPORAL_ADDRESS'] ?? '')],
    ['PostgreSQL', portOf(process.env['CLOUDER_TEST_POSTGRES_URL'] ?? '')],
    ['engine', 2375],
    ['engine with TLS', 2376],
  ]
  assert.ok(services.every(([, port]) => port > 0))
  const tried = hostAddresses(gateway).flatMap((host) =>
    services.map(([name, port]) => ({ host, name, port })),
  )
  const reached = await Promise.all(
    tried.map(async ({ host, name, port }) =>
      (await guest.connects(host, port)) ? `${name} at ${host}:${port}` : null,
    ),
  )
  assert.deepEqual(
    reached.filter((one) => one !== null),
    [],
  )
  for (const socket of ['/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock'])
    assert.notEqual((await guest.run('ls', socket)).exitCode, 0, socket)
  // Nor can it change what keeps it in: it has no right on the network, and is nobody.
  assert.notEqual((await guest.run('ip', 'route', 'add', '10.0.0.0/8', 'via', gateway)).exitCode, 0)
  assert.match((await guest.run('id')).stdout, /uid=1000/)
  assert.match((await guest.run('grep', 'CapEff', '/proc/self/status')).stdout, /CapEff:\s*0{16}/)
})

test('whether an engine keeps networks apart is tried, and nothing of it stays', async () => {
  const image = await ensureBase(docker, process.env['CLOUDER_BUSYBOX'] ?? '/bin/busybox', context())
  const labels = { 'io.clouder.probe': `test-${process.pid}` }
  assert.equal((await tryIsolation(docker, { image, labels }, context())).isIsolated, true)
  const filters = { label: [`io.clouder.probe=test-${process.pid}`] }
  assert.deepEqual(await docker.listContainers({ all: true, filters }), [])
  assert.deepEqual(await docker.listNetworks({ filters }), [])
})

test('an engine that lets one network into another is told; where nothing is reached nothing is told', () => {
  assert.equal(judge({ isReachedFromOwn: true, isReachedFromOther: true }).isIsolated, false)
  assert.equal(judge({ isReachedFromOwn: true, isReachedFromOther: false }).isIsolated, true)
  assert.throws(() => judge({ isReachedFromOwn: false, isReachedFromOther: false }), /nothing is told/)
})
