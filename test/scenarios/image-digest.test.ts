import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { registryLogin, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { sellApplication } from '#test/support/sold-application.ts'

const wrongPassword = 'wrong horse battery'

let installation: TestInstallation
let diary: Diary
let registry: TestRegistry
let subscription: string
/** Digests in the registry. */
let first: string
let second: string
/** The engine's ids of the two. */
let ids: readonly [string, string]

before(async () => {
  registry = await startRegistry()
  installation = await startInstallation()
  diary = createDiary(installation)
  const site = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(site, 'active')
  ids = [await derive('1'), await derive('2')]
  first = await registry.push(ids[0], 'acme/site:1')
})
after(async () => {
  await installation.stop()
  await registry.stop()
  const { docker } = await listObjects(installation.installationId)
  for (const id of ids)
    await docker
      .getImage(id)
      .remove({ force: true })
      .catch(() => {})
})

/** An image of our own that answers, and is another one for every text. */
async function derive(text: string): Promise<string> {
  const { docker, containers } = await listObjects(installation.installationId)
  const [site] = containers
  const made = await docker.createContainer({ Image: site?.ImageID ?? '', Labels: { text } })
  const tag = `${process.pid}-${text}`
  const { Id: id } = await made.commit({ repo: 'clouder/test-site', tag, changes: `LABEL text=${tag}` })
  await made.remove()
  return String(id)
}

async function instance(): Promise<Json> {
  const { body } = await installation.call('GET', `/v1/instances?subscription=${subscription}`)
  return (body['data'] as Json[])[0] ?? assert.fail('no instance')
}

async function container() {
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.find((one) => one.Labels['io.clouder.subscription'] === subscription)
  const handle = docker.getContainer(own?.Id ?? assert.fail('no container'))
  return { docker, handle, found: await handle.inspect() }
}

const giveLogin = async (password: string) =>
  await installation.call('POST', '/v1/registries', {
    host: registry.host,
    username: registryLogin.username,
    password,
  })

test('a wrong login is told as registry_login_failed, and its password stands nowhere', async () => {
  const given = await giveLogin(wrongPassword)
  assert.equal(given.status, 201)
  assert.ok(!JSON.stringify(given.body).includes(wrongPassword))
  const image = `${registry.host}/acme/site:1`
  const compose = `
services: { web: { image: "${image}", user: "1000:1000", expose: ["8080"] } }
x-clouder: { title: Pulled with a login, public: { service: web, port: 8080 } }
`
  subscription = await sellApplication(installation, diary, { code: 'pulled', compose })
  const parked = await diary.untilParked(subscription)
  assert.equal(parked['parked_reason'], 'registry_login_failed')
  const [task] = await installation.db
    .selectFrom('tasks')
    .selectAll()
    .where('closed_at', 'is', null)
    .execute()
  assert.match(task?.detail ?? '', /refused the login of acme/)
  for (const table of [
    'build_steps',
    'build_orders',
    'events',
    'tasks',
    'registries',
    'outbox',
    'idempotency_keys',
  ]) {
    const { rows } = await sql<{ hits: number }>`
      select count(*)::int as hits from ${sql.table(table)} as found where found::text like ${`%${wrongPassword}%`}`.execute(
      installation.db,
    )
    assert.equal(rows[0]?.hits, 0, table)
  }
  const builds = await diary.list(`/v1/builds?subscription=${subscription}`)
  const history = await installation.client.workflow
    .getHandle(`build/${String(builds[0]?.['id'])}`)
    .fetchHistory()
  const told = JSON.stringify(history, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  )
  assert.match(told, /registry_login_failed/)
  assert.ok(!told.includes(wrongPassword))
})

test('with the right login it is built, and the instance says which digest it runs', async () => {
  await giveLogin(registryLogin.password)
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await diary.untilPhase(subscription, 'active')
  const { images, application_version: version } = await instance()
  const reference = `${registry.host}/acme/site:1`
  assert.deepEqual(images, [{ service: 'web', reference, digest: first, image_id: ids[0] }])
  assert.equal(version, 1)
  assert.equal((await container()).found.Config.Image, `${registry.host}/acme/site@${first}`)
})

test('the tag moves upstream and on the server: stopped, removed, or suspended, it comes back with the same digest', async () => {
  second = await registry.push(ids[1], 'acme/site:1')
  assert.notEqual(second, first)
  const { docker, handle } = await container()
  await docker.getImage(ids[1]).tag({ repo: `${registry.host}/acme/site`, tag: '1' })
  await handle.stop({ t: 1 })
  assert.equal((await installation.reconcile()).repaired.length, 1)
  assert.equal((await container()).found.Image, ids[0])
  await (await container()).handle.remove({ force: true })
  assert.equal((await installation.reconcile()).repaired.length, 1)
  assert.equal((await container()).found.Image, ids[0])
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'a test' })
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  assert.equal((await container()).found.Image, ids[0])
  const id = String((await instance())['id'])
  assert.equal((await installation.call('POST', `/v1/instances/${id}/repair`, {})).status, 200)
  assert.equal((await container()).found.Image, ids[0])
})

test('a container of our name and labels that runs another image is not running as wanted, and is replaced on request', async () => {
  const { docker, handle, found } = await container()
  await handle.remove({ force: true })
  const other = await docker.createContainer({
    name: found.Name.slice(1),
    ...found.Config,
    Image: ids[1],
    HostConfig: found.HostConfig,
  })
  await other.start()
  await installation.reconcile()
  assert.equal((await instance())['observed_state'], 'degraded')
  const { body } = await installation.call('GET', '/v1/findings')
  assert.ok((body['data'] as Json[]).some(({ kind }) => kind === 'wrong_image'))
  const id = String((await instance())['id'])
  const repaired = await installation.call('POST', `/v1/instances/${id}/repair`, {})
  assert.deepEqual([repaired.status, repaired.body['left']], [200, []])
  assert.equal((await container()).found.Image, ids[0])
  assert.equal((await instance())['observed_state'], 'running')
})

test('an image that is gone from the server is pulled again by its digest', async () => {
  const { docker, handle } = await container()
  await handle.remove({ force: true })
  await docker.getImage(ids[0]).remove({ force: true })
  assert.equal((await installation.reconcile()).repaired.length, 1)
  const { found } = await container()
  assert.deepEqual([found.Image, found.Config.Image], [ids[0], `${registry.host}/acme/site@${first}`])
})

test('one that is gone from the registry too is image_gone, with a task, and nothing else is run in its place', async () => {
  const { docker, handle } = await container()
  await registry.forget('acme/site', first)
  await handle.remove({ force: true })
  await docker.getImage(ids[0]).remove({ force: true })
  assert.deepEqual((await installation.reconcile()).repaired, [])
  const open = await installation.db.selectFrom('tasks').selectAll().where('closed_at', 'is', null).execute()
  const told = open.find(({ kind }) => kind === 'repair_failed')
  assert.match(told?.subject ?? '', /image_gone/)
  assert.ok(told?.detail.includes(first))
  const id = String((await instance())['id'])
  const asked = await installation.call('POST', `/v1/instances/${id}/repair`, {})
  assert.deepEqual([asked.status, asked.body['code']], [409, 'image_gone'])
  await until('no container is there', async () => {
    const { containers } = await listObjects(installation.installationId)
    return containers.every((one) => one.Labels['io.clouder.subscription'] !== subscription)
  })
})
