import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import test, { after, before } from 'node:test'
import Docker from 'dockerode'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { sellApplication, standInImage } from '#test/support/sold-application.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

const docker = new Docker()
let installation: TestInstallation
let diary: Diary
const foreign: Server[] = []

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => {
  for (const server of foreign) server.close()
  await installation.stop()
})

async function firstPort(): Promise<number> {
  const { port_range: range } = await installation.db
    .selectFrom('servers')
    .select('port_range')
    .executeTakeFirstOrThrow()
  return Number(/\d+/.exec(range ?? '')?.[0])
}

async function setServer(change: {
  port_range?: string
  subnet_pool?: string
  subnet_prefix_length?: number
}) {
  await installation.db.updateTable('servers').set(change).execute()
}

async function holdPort(port: number): Promise<() => Promise<unknown>> {
  const server = createServer()
  foreign.push(server)
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve))
  return async () => await new Promise((resolve) => void server.close(resolve))
}

async function addressOf(subscription: string): Promise<string> {
  const { instances } = (await diary.subscription(subscription)) as unknown as {
    instances: { address: string }[]
  }
  return instances[0]?.address ?? assert.fail('it has no address')
}

async function environmentOf(customer: string): Promise<string> {
  const body = { code: customer, name: customer, currency: 'USD', time_zone: 'UTC' }
  await diary.post('/v1/customers', body, 201)
  return customer
}

async function openTasks(kind: string): Promise<Json[]> {
  const tasks = await diary.list('/v1/tasks?limit=100')
  return tasks.filter((task) => task['closed_at'] === null && task['kind'] === kind)
}

test('ports of foreign processes are skipped: the next one is recorded, and all that names the address follows', async () => {
  const image = await builtImage()
  // The page that it was built for has the first one.
  const first = (await firstPort()) + 1
  await Promise.all([holdPort(first), holdPort(first + 1)])
  const compose = `
services:
  web: { image: "\${IMAGE}", expose: ["8080"], user: "1000:1000", environment: { ADDRESS: "\${SERVICE_URL_WEB}" }, depends_on: [side] }
  side: { image: "\${IMAGE}", user: "1000:1000", environment: { ADDRESS: "\${SERVICE_URL_WEB}" } }
x-clouder: { title: Two that know the address, public: { service: web, port: 8080 } }
`.replaceAll('${IMAGE}', image)
  const subscription = await sellApplication(installation, diary, { code: 'knows-address', compose })
  await diary.untilPhase(subscription, 'active')
  assert.equal(await addressOf(subscription), `http://127.0.0.1:${first + 2}/`)
  assert.equal((await fetch(await addressOf(subscription))).status, 200)
  const { containers } = await listObjects(installation.installationId)
  const own = containers.filter(({ Labels }) => Labels['io.clouder.subscription'] === subscription)
  assert.equal(own.length, 2)
  for (const { Id } of own) {
    const { Config, State } = await docker.getContainer(Id).inspect()
    assert.ok(Config.Env.includes(`ADDRESS=http://127.0.0.1:${first + 2}`), Config.Env.join(' '))
    assert.equal(State.Running, true)
  }
  const said = (await diary.events(subscription)).map((event) => JSON.stringify(event['data']))
  assert.ok(said.some((text) => text.includes(`port ${first} is held by something else on the server`)))
  // What runs is what is recorded: nothing is found otherwise than wanted.
  assert.deepEqual(await diary.list('/v1/findings'), [])
})

/** The page of the stand-in, which needs nothing else. */
async function builtImage(): Promise<string> {
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  return await standInImage(installation)
}

test('a port that something else took while an instance was suspended: it gets the next one, and a full range refuses the resume', async () => {
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  const before = await addressOf(subscription)
  const port = Number(new URL(before).port)
  const suspend = async () =>
    await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'not paid' })
  await suspend()
  await holdPort(port)
  const resume = async () => await installation.call('POST', `/v1/subscriptions/${subscription}/resume`, {})
  assert.equal((await resume()).status, 200)
  const after = await addressOf(subscription)
  assert.notEqual(after, before)
  assert.equal((await fetch(after)).status, 200)
  const told = (await diary.events(subscription)).filter(({ kind }) => kind === 'instance.port_moved')
  assert.deepEqual(
    told.map(({ data }) => {
      const { before: from, after: to } = data as Json
      return [from, to]
    }),
    [[port, Number(new URL(after).port)]],
  )
  assert.deepEqual(await diary.list('/v1/findings'), [])

  await suspend()
  const first = Number(new URL(after).port)
  await holdPort(first)
  const { port_range: range } = await installation.db
    .selectFrom('servers')
    .select('port_range')
    .executeTakeFirstOrThrow()
  await setServer({ port_range: `[${first},${first + 1})` })
  const refused = await resume()
  assert.deepEqual([refused.status, refused.body['code']], [409, 'ports_exhausted'])
  assert.match(String(refused.body['detail']), new RegExp(`range ${first} to ${first}`))
  assert.equal((await diary.subscription(subscription))['phase'], 'suspended')
  await setServer({ port_range: range ?? '' })
  assert.equal((await resume()).status, 200)
  assert.equal((await fetch(await addressOf(subscription))).status, 200)
})

test('a container that is found stopped, and its port taken, is started again by reconcile, at the next one', async () => {
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  const before = await addressOf(subscription)
  const { containers } = await listObjects(installation.installationId)
  const own = containers.find(({ Labels }) => Labels['io.clouder.subscription'] === subscription)
  await docker.getContainer(own?.Id ?? '').stop({ t: 0 })
  await holdPort(Number(new URL(before).port))
  const { repaired, drift } = await installation.reconcile()
  assert.deepEqual([repaired.length, drift], [1, []])
  const after = await addressOf(subscription)
  assert.notEqual(after, before)
  assert.equal((await fetch(after)).status, 200)
})

test('a range of which all is held is said with server and range; the build is undone, and a retry goes on once one is free', async () => {
  const first = (await firstPort()) + 100
  await setServer({ port_range: `[${first},${first + 2})` })
  const [free] = await Promise.all([holdPort(first), holdPort(first + 1)])
  const subscription = await diary.order([{ product: 'static-site' }])
  const parked = await diary.untilParked(subscription)
  assert.equal(parked['parked_reason'], 'ports_exhausted')
  const [task] = await openTasks('build_failed')
  assert.match(
    String(task?.['detail']),
    new RegExp(`Server local has no free port in its range ${first} to ${first + 1}`),
  )
  const { containers } = await listObjects(installation.installationId)
  assert.equal(
    containers.some(({ Labels }) => Labels['io.clouder.subscription'] === subscription),
    false,
  )
  // Nobody else is sold what cannot be built.
  const refused = await installation.call('POST', '/v1/orders', {
    customer: 'harbour-bakery',
    lines: [{ product: 'static-site' }],
  })
  assert.deepEqual([refused.status, refused.body['code']], [409, 'ports_exhausted'])
  await free()
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await diary.untilPhase(subscription, 'active')
  assert.equal(await addressOf(subscription), `http://127.0.0.1:${first}/`)
  assert.deepEqual(await openTasks('build_failed'), [])
  await setServer({ port_range: `[${first + 2},${first + 40})` })
})

test('addresses of foreign networks are skipped; a pool that is full is refused before, and said while building; one that is freed goes on', async (t) => {
  const pool = `10.${120 + (process.pid % 60)}.200.0`
  await setServer({ subnet_pool: `${pool}/26`, subnet_prefix_length: 27 })
  const holders: Docker.Network[] = []
  t.after(
    async () => await Promise.all(holders.map(async (network) => await network.remove().catch(() => {}))),
  )
  const hold = async (Subnet: string) => {
    const network = await docker.createNetwork({
      Name: `foreign-${Subnet.replace('/', '-')}`,
      IPAM: { Config: [{ Subnet }] },
    })
    holders.push(network)
    return network
  }
  const first = await hold(`${pool}/28`)
  const one = await diary.order([{ product: 'static-site' }], { customer: await environmentOf('pool-one') })
  await diary.untilPhase(one, 'active')
  assert.deepEqual(await rangesOf(one), [pool.replace(/0$/, '32/27')])

  // The one that was skipped is known to be foreign: nothing is left.
  const customer = await environmentOf('pool-two')
  const order = { customer, lines: [{ product: 'static-site' }] }
  const refused = await installation.call('POST', '/v1/orders', order)
  assert.deepEqual([refused.status, refused.body['code']], [409, 'subnets_exhausted'])
  assert.match(
    String(refused.body['detail']),
    new RegExp(`local: 1 subnet needed, 0 subnets free .* pool ${pool}/26, of which others have .*foreign-`),
  )
  const [task] = await openTasks('subnets_nearly_exhausted')
  assert.equal(task?.['subject'], 'Server local has no free subnet')
  assert.equal(task?.['subject_id'], installation.serverId)

  // It goes, another one comes before it is seen, and takes what the next order is promised.
  await first.remove()
  await installation.reconcile()
  await until(
    'it is seen to be free',
    async () => (await diary.get(`/v1/servers/${installation.serverId}/subnets`))['free'] === 1,
  )
  const second = await hold(`${pool}/27`)
  const two = await diary.order([{ product: 'static-site' }], { customer })
  const parked = await diary.untilParked(two)
  assert.equal(parked['parked_reason'], 'subnets_exhausted')
  const { networks } = await listObjects(installation.installationId)
  assert.equal(
    networks.some(({ Labels }) => Labels?.['io.clouder.environment']?.startsWith('pool-two')),
    false,
  )

  await second.remove()
  await diary.post(`/v1/subscriptions/${two}/retry-build`, {})
  await diary.untilPhase(two, 'active')
  assert.deepEqual(await rangesOf(two), [`${pool}/27`])

  // What is unbuilt is free again.
  await diary.post(`/v1/subscriptions/${one}/cancel`, { when: 'now', reason: 'enough' })
  await diary.untilPhase(one, 'ended')
  assert.equal((await diary.get(`/v1/servers/${installation.serverId}/subnets`))['free'], 1)
  const three = await diary.order([{ product: 'static-site' }], {
    customer: await environmentOf('pool-three'),
  })
  await diary.untilPhase(three, 'active')
})

async function rangesOf(subscription: string): Promise<(string | undefined)[]> {
  const { containers, networks } = await listObjects(installation.installationId)
  const environment = containers.find(({ Labels }) => Labels['io.clouder.subscription'] === subscription)
    ?.Labels['io.clouder.environment']
  return networks
    .filter(({ Labels }) => Labels?.['io.clouder.environment'] === environment)
    .flatMap(({ IPAM }) => (IPAM?.Config ?? []).map(({ Subnet }) => Subnet))
}
