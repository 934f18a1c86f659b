import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type Docker from 'dockerode'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { runIn } from '#test/support/kept-data.ts'
import { saveOwnApplication, sellProduct, standInImage } from '#test/support/sold-application.ts'

const MIB = 1024 * 1024

let installation: TestInstallation
let diary: Diary
let docker: Docker
let image: string
const made: { containers: Set<string>; volumes: Set<string> } = { containers: new Set(), volumes: new Set() }

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  docker = (await listObjects(installation.installationId)).docker
  image = `clouder-legacy:${process.pid}`
  await docker
    .getImage(await standInImage(installation))
    .tag({ repo: 'clouder-legacy', tag: String(process.pid) })
  const compose = `
services:
  web: { image: "${image}", expose: ["8080"], volumes: ["data:/data"] }
  side: { image: "${image}", depends_on: [web] }
volumes: { data: {} }
x-clouder:
  title: Legacy
  public: { service: web, port: 8080 }
  ready: { path: /, timeout_s: 5 }
  metrics:
    - { code: network, title: Network, unit: GiB, kind: counter, aggregation: sum, source: { type: engine-network } }
    - { code: disk, title: Disk, unit: GiB, kind: gauge, aggregation: max, source: { type: volume-disk, volume: data } }
`
  await sellProduct(installation.db, 'legacy', [
    await saveOwnApplication(installation.db, { code: 'legacy', compose }),
  ])
})
after(async () => {
  const gone = async (work: Promise<unknown>) => await work.catch(() => undefined)
  for (const id of made.containers) await gone(docker.getContainer(id).remove({ force: true, v: true }))
  for (const name of made.volumes) await gone(docker.getVolume(name).remove())
  await installation.stop()
  await gone(docker.getImage(image).remove({ force: true }))
})

interface Group {
  readonly web: string
  readonly side: string
  readonly volume: string
  readonly hostPort: number
  readonly takeOver: Json
}

/** As somebody's own compose file has it: none of our labels, a volume of its name, a port of the engine's choice. */
async function runGroup(name: string): Promise<Group> {
  const volume = `${name}_data`
  await docker.createVolume({ Name: volume, Labels: { 'com.docker.compose.project': name } })
  made.volumes.add(volume)
  const start = async (
    service: string,
    host: object,
    options: object = {},
  ): Promise<Docker.ContainerInspectInfo> => {
    const container = await docker.createContainer({
      name: `${name}-${service}-1`,
      Image: image,
      User: '0:0',
      Labels: { 'com.docker.compose.project': name },
      ...options,
      HostConfig: { Init: true, ...host },
    })
    made.containers.add(container.id)
    await container.start()
    return await container.inspect()
  }
  const host = {
    Binds: [`${volume}:/data`],
    PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
  }
  const web = await start('web', host, { ExposedPorts: { '8080/tcp': {} } })
  const side = await start('side', {})
  const hostPort = Number(web.NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort)
  const takeOver = {
    server: 'local',
    application: 'legacy',
    containers: {
      web: { name: `${name}-web-1`, id: web.Id },
      side: { name: `${name}-side-1`, id: side.Id },
    },
    volumes: { data: volume },
    host_port: hostPort,
  }
  return { web: web.Id, side: side.Id, volume, hostPort, takeOver }
}

const order = async (takeOver: Json) =>
  await installation.call('POST', '/v1/orders', {
    customer: 'harbour-bakery',
    lines: [{ product: 'legacy' }],
    take_over: takeOver,
  })

const subscriptionOf = ({ body }: { body: Json }): string => {
  const [first] = body['subscriptions'] as (string | Json)[]
  return typeof first === 'string' ? first : String(first?.['id'])
}

const inspect = async (id: string) => await docker.getContainer(id).inspect()

async function instanceOf(subscription: string): Promise<Json> {
  const [instance] = await diary.list(`/v1/instances?subscription=${subscription}`)
  return await diary.get(`/v1/instances/${String(instance?.['id'])}`)
}

test('a group that runs becomes an instance without a restart, and is one until nothing of it is left', async () => {
  const name = `legacy-${process.pid}`
  const group = await runGroup(name)
  await docker.createVolume({ Name: `${name}_data2` })
  made.volumes.add(`${name}_data2`)
  await runIn(docker.getContainer(group.web), 'echo kept > /data/note')
  const startedAt = [(await inspect(group.web)).State.StartedAt, (await inspect(group.side)).State.StartedAt]
  const ordered = await order(group.takeOver)
  assert.equal(ordered.status, 201, JSON.stringify(ordered.body))
  const subscription = subscriptionOf(ordered)
  await diary.untilPhase(subscription, 'active')
  assert.deepEqual(
    [(await inspect(group.web)).State.StartedAt, (await inspect(group.side)).State.StartedAt],
    startedAt,
  )
  const second = await order(group.takeOver)
  assert.deepEqual([second.status, second.body['code']], [409, 'already_linked'])

  const instance = await instanceOf(subscription)
  const address = `/v1/instances/${String(instance['id'])}`
  const metrics = new Map((instance['metrics'] as Json[]).map((one) => [one['code'], one['last']]))
  assert.ok(
    metrics.get('network') !== null && metrics.get('disk') !== null,
    JSON.stringify(instance['metrics']),
  )
  assert.equal(instance['address'], `http://127.0.0.1:${group.hostPort}/`)

  // What it is not made like is shown, and no task: it was known when it was taken over.
  await installation.reconcile()
  const seen = await diary.get(address)
  assert.equal(seen['observed_state'], 'running')
  assert.equal((await diary.get(`${address}/comparison`))['is_as_wanted'], false)
  const tasks = await installation.db
    .selectFrom('tasks')
    .select('kind')
    .where('closed_at', 'is', null)
    .execute()
  assert.deepEqual(tasks, [])

  await docker.getContainer(group.side).stop({ t: 1 })
  await installation.reconcile()
  assert.equal((await inspect(group.side)).State.Running, true)

  const limited = await installation.call('PATCH', address, { limits: { web: { memory_mib: 256 } } })
  assert.equal(limited.status, 200)
  await until('it has its limit', async () => {
    await installation.relay()
    return (await inspect(group.web)).HostConfig.Memory === 256 * MIB
  })
  assert.equal((await inspect(group.web)).State.StartedAt, startedAt[0])

  await installation.reconcile()
  assert.equal((await installation.call('POST', `${address}/apply`, {})).status, 200)
  await until('it runs as wanted', async () => {
    await installation.relay()
    return (await diary.get(`${address}/comparison`))['is_as_wanted'] === true
  })
  const anew = await inspect(`${name}-web-1`)
  made.containers.add(anew.Id).add((await inspect(`${name}-side-1`)).Id)
  assert.notEqual(anew.Id, group.web)
  assert.deepEqual(anew.HostConfig.CapDrop, ['ALL'])
  assert.equal(await runIn(docker.getContainer(anew.Id), 'cat /data/note'), 'kept')

  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'over' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  const left = await docker.listContainers({ all: true, filters: { name: [name] } })
  assert.deepEqual(
    left.map(({ Names: names }) => names),
    [],
  )
  const volumes = (await docker.listVolumes({ filters: { name: [name] } })).Volumes.map((one) => one.Name)
  assert.deepEqual(volumes, [`${name}_data2`])
  const [backup] = await diary.list(`/v1/backups?subscription=${subscription}`)
  assert.equal(backup?.['state'], 'kept')
})

test('a group that was taken over as it is and never made anew is removed by its exact ids', async () => {
  const name = `plain-${process.pid}`
  const group = await runGroup(name)
  const subscription = subscriptionOf(await order(group.takeOver))
  await diary.untilPhase(subscription, 'active')
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'over' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  for (const id of [group.web, group.side]) await assert.rejects(inspect(id), { statusCode: 404 })
  await assert.rejects(docker.getVolume(group.volume).inspect(), { statusCode: 404 })
})

test('a take-over that does not get ready leaves the group as it was, and so does its cancellation', async () => {
  const group = await runGroup(`left-${process.pid}`)
  const startedAt = (await inspect(group.web)).State.StartedAt
  const subscription = subscriptionOf(await order({ ...group.takeOver, host_port: 1 }))
  await diary.untilParked(subscription)
  assert.equal((await inspect(group.web)).State.StartedAt, startedAt)
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'over' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  assert.equal((await inspect(group.web)).State.StartedAt, startedAt)
  assert.equal((await inspect(group.side)).State.Running, true)
  assert.ok(await docker.getVolume(group.volume).inspect())
})

test('what is not the group that its application says is refused with its place', async () => {
  const whole = { web: { name: 'a', id: 'a'.repeat(64) }, side: { name: 'b', id: 'b'.repeat(64) } }
  const asked = {
    server: 'local',
    application: 'legacy',
    containers: whole,
    volumes: { data: 'd' },
    host_port: 1,
  }
  for (const [change, pointer] of [
    [{ containers: { web: whole.web } }, '/take_over/containers'],
    [{ volumes: {} }, '/take_over/volumes'],
    [{ host_port: null }, '/take_over/host_port'],
  ] as const) {
    const { status, body } = await order({ ...asked, ...change })
    assert.deepEqual([status, (body['errors'] as Json[])[0]?.['pointer']], [422, pointer])
  }
})
