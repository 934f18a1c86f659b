import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
})
after(async () => await installation.stop())

async function openTasks() {
  return await installation.db.selectFrom('tasks').selectAll().where('closed_at', 'is', null).execute()
}

async function findings(): Promise<Json[]> {
  const { body } = await installation.call('GET', '/v1/findings')
  return body['data'] as Json[]
}

async function ownInstance(): Promise<Json> {
  const { body } = await installation.call('GET', `/v1/instances?subscription=${subscription}`)
  return (body['data'] as Json[])[0] ?? assert.fail('no instance')
}

async function ownContainer() {
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.find((one) => one.Labels['io.clouder.subscription'] === subscription)
  return docker.getContainer(own?.Id ?? assert.fail('no container'))
}

async function events(kind: 'instance.repaired' | 'instance.repair_failed') {
  return await installation.db
    .selectFrom('events')
    .selectAll()
    .where('kind', '=', kind)
    .orderBy('id')
    .execute()
}

const nothing = { restarted: [], drift: [], repaired: [], orphans: [], unreachable: [] }

test('a sound installation gives no row, and what was seen is shown with its age', async () => {
  assert.deepEqual(await installation.reconcile(), nothing)
  assert.deepEqual(await openTasks(), [])
  const { observed_state: state, observed_at: at } = await ownInstance()
  assert.equal(state, 'running')
  assert.ok(Date.now() - Date.parse(String(at)) < 60_000)
})

test('a container stopped by hand is started again, and an event says by whom, what, and how it was', async () => {
  await (await ownContainer()).stop({ t: 1 })
  assert.deepEqual((await installation.reconcile()).repaired, [(await ownInstance())['id']])
  assert.equal((await (await ownContainer()).inspect()).State.Running, true)
  assert.deepEqual(await installation.reconcile(), nothing)
  const [event] = await events('instance.repaired')
  const { by, before, after: afterwards, findings: found } = event?.data ?? {}
  assert.deepEqual([by, before, afterwards], ['reconcile', 'stopped', 'running'])
  assert.deepEqual(
    (found as Json[]).map((one) => one['kind']),
    ['stopped'],
  )
  assert.deepEqual(await openTasks(), [])
})

test('a container removed by hand is made again on its volume, and its network with it', async () => {
  const lost = await ownContainer()
  const { Name: name, Id: id } = await lost.inspect()
  await lost.remove({ force: true })
  const { docker, networks } = await listObjects(installation.installationId)
  await docker.getNetwork(networks[0]?.Id ?? '').remove()
  await installation.reconcile()
  const made = await (await ownContainer()).inspect()
  assert.deepEqual([made.Name, made.State.Running, made.Id === id], [name, true, false])
  assert.equal((await listObjects(installation.installationId)).networks.length, 1)
  assert.deepEqual(await installation.reconcile(), nothing)
  const recorded = await installation.db
    .selectFrom('resources')
    .select('external_id')
    .where('kind', '=', 'container')
    .where('removed_at', 'is', null)
    .execute()
  assert.deepEqual(recorded, [{ external_id: made.Id }])
})

test('a foreign container of our name is left alone, listed with its command, and repaired once it is gone', async (t) => {
  const lost = await ownContainer()
  const { Name: name, Config: config } = await lost.inspect()
  await lost.remove({ force: true })
  const { docker } = await listObjects(installation.installationId)
  const foreign = await docker.createContainer({ name: name.slice(1), Image: config.Image })
  t.after(async () => await foreign.remove({ force: true }))
  assert.deepEqual((await installation.reconcile()).repaired, [])
  const [found] = await findings()
  const called = name.slice(1)
  assert.deepEqual(
    [found?.['kind'], found?.['object_name'], found?.['command']],
    ['foreign', called, `docker container rename ${called} ${called}.foreign`],
  )
  const refused = await installation.call(
    'POST',
    `/v1/instances/${String((await ownInstance())['id'])}/repair`,
    {},
  )
  assert.deepEqual([refused.status, refused.body['code']], [409, 'name_taken_on_server'])
  assert.deepEqual(
    (await openTasks()).map((task) => task.kind),
    ['instance_drift'],
  )
  await foreign.rename({ name: `${called}.foreign` })
  await installation.reconcile()
  assert.deepEqual(await installation.reconcile(), nothing)
  assert.equal((await foreign.inspect()).Name, `${name}.foreign`)
  assert.deepEqual(await openTasks(), [])
  assert.deepEqual(await findings(), [])
})

test('an object with our labels and no instance is listed with its command, and left alone', async () => {
  const { docker } = await listObjects(installation.installationId)
  const name = `orphan-of-${installation.installationId}`
  await docker.createVolume({
    Name: name,
    Labels: {
      'io.clouder.managed': 'true',
      'io.clouder.installation': installation.installationId,
      'io.clouder.instance': 'inst_gone',
    },
  })
  assert.deepEqual((await installation.reconcile()).orphans, [`volume ${name}`])
  assert.equal((await docker.getVolume(name).inspect()).Name, name)
  assert.deepEqual(
    (await findings()).map((one) => [one['kind'], one['instance'], one['command']]),
    [['orphan', null, `docker volume rm ${name}`]],
  )
  await docker.getVolume(name).remove()
  assert.deepEqual((await installation.reconcile()).orphans, [])
})

test('a container whose row was deleted is an orphan, not removed, and a repair writes it down again', async () => {
  const { Id: id, Name: name } = await (await ownContainer()).inspect()
  await installation.db.deleteFrom('resources').where('kind', '=', 'container').execute()
  assert.deepEqual((await installation.reconcile()).orphans, [`container ${name.slice(1)}`])
  assert.equal((await (await ownContainer()).inspect()).Id, id)
  const instance = String((await ownInstance())['id'])
  assert.equal((await findings())[0]?.['command'], `npx clouder instances repair ${instance}`)
  const repaired = await installation.call('POST', `/v1/instances/${instance}/repair`, {})
  assert.deepEqual([repaired.status, repaired.body['left']], [200, []])
  assert.deepEqual(await installation.reconcile(), nothing)
  assert.equal((await (await ownContainer()).inspect()).Id, id)
})

test('a container whose memory was changed by hand is told with both values, and given it back in place on request only', async () => {
  const changed = await ownContainer()
  await changed.update({ Memory: 64 * 1024 * 1024, MemorySwap: 64 * 1024 * 1024 })
  assert.deepEqual((await installation.reconcile()).repaired, [])
  const [found] = await findings()
  assert.equal(found?.['kind'], 'wrong_configuration')
  assert.match(String(found?.['detail']), /memory_mib: asked \d+, got 64/)
  const instance = String((await ownInstance())['id'])
  const repaired = await installation.call('POST', `/v1/instances/${instance}/repair`, {})
  assert.deepEqual([repaired.status, repaired.body['left']], [200, []])
  assert.equal((await (await ownContainer()).inspect()).Id, changed.id)
  assert.deepEqual(await installation.reconcile(), nothing)
})

test('after ten repairs in ten minutes it stops, opens a task, and goes on once a person has repaired it', async () => {
  const instance = String((await ownInstance())['id'])
  const [first] = await events('instance.repaired')
  const { subscription_id: subscriptionId } = first ?? assert.fail('no event')
  await installation.db
    .insertInto('events')
    .values(
      Array.from({ length: 10 }, () => ({
        kind: 'instance.repaired',
        subscription_id: subscriptionId,
        data: { instance, by: 'reconcile' },
      })) as never,
    )
    .execute()
  await (await ownContainer()).stop({ t: 1 })
  assert.deepEqual((await installation.reconcile()).drift.length, 1)
  assert.equal((await (await ownContainer()).inspect()).State.Running, false)
  assert.deepEqual((await openTasks()).map((task) => task.kind).sort(), ['instance_drift', 'repair_stopped'])
  const repaired = await installation.call('POST', `/v1/instances/${instance}/repair`, {})
  assert.deepEqual([repaired.status, repaired.body['left']], [200, []])
  assert.deepEqual(await openTasks(), [])
})

test('a suspended instance that somebody started is stopped again', async () => {
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'a test' })
  assert.deepEqual(await installation.reconcile(), nothing)
  assert.equal((await ownInstance())['observed_state'], 'stopped')
  await (await ownContainer()).start()
  // Its repairs were used up above.
  await installation.db.deleteFrom('events').where('kind', '=', 'instance.repaired').execute()
  await installation.reconcile()
  assert.equal((await (await ownContainer()).inspect()).State.Running, false)
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  assert.deepEqual(await installation.reconcile(), nothing)
})

test('while something is built nothing of it is touched or told of', async () => {
  const order = await installation.db
    .selectFrom('build_orders')
    .select(['id', 'finished_at'])
    .executeTakeFirstOrThrow()
  const setOrder = async (state: 'running' | 'done') =>
    await installation.db
      .updateTable('build_orders')
      .set({ state, finished_at: state === 'done' ? order.finished_at : null })
      .where('id', '=', order.id)
      .execute()
  await setOrder('running')
  await (await ownContainer()).stop({ t: 1 })
  assert.deepEqual(await installation.reconcile(), nothing)
  assert.equal((await (await ownContainer()).inspect()).State.Running, false)
  assert.equal((await ownInstance())['observed_state'], 'stopped')
  await setOrder('done')
  assert.equal((await installation.reconcile()).repaired.length, 1)
})

test('a subscription whose workflow was terminated is started again, and goes on where its row stands', async () => {
  const workflowId = `subscription/${subscription}`
  await installation.client.workflow.getHandle(workflowId).terminate('an operator slipped')
  // Young subscriptions are left to the relay.
  await installation.db
    .updateTable('subscriptions')
    .set({ created_at: '2026-01-01T00:00:00Z' } as never)
    .execute()
  const found = await until('it is missed', async () => {
    const drift = await installation.reconcile()
    return drift.restarted.length > 0 && drift
  })
  assert.deepEqual(found.restarted, [workflowId])
  await installation.relay()
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'it answers again' })
  assert.equal((await diary.subscription(subscription))['phase'], 'suspended')
  const invoices = await diary.invoices(subscription)
  assert.equal(invoices.length, 1)
})
