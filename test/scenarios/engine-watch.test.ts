import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { EventKind } from '#db/event.ts'
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
  installation = await startInstallation({ hasEngineWatch: true })
  diary = createDiary(installation)
  subscription = await diary.order([{ product: 'odoo-user' }])
  await diary.untilPhase(subscription, 'active')
})
after(async () => await installation.stop())

async function ownContainers() {
  const { docker, containers } = await listObjects(installation.installationId)
  return containers.map((one) => docker.getContainer(one.Id))
}

async function countEvents(kind: EventKind): Promise<number> {
  const rows = await installation.db.selectFrom('events').select('id').where('kind', '=', kind).execute()
  return rows.length
}

async function observedState(): Promise<unknown> {
  const { body } = await installation.call('GET', `/v1/instances?subscription=${subscription}`)
  return (body['data'] as Json[])[0]?.['observed_state']
}

const shown = 10_000

test('a container killed by hand is seen, started again and shown as running within ten seconds, without any schedule', async () => {
  const [container] = await ownContainers()
  await container?.kill()
  await until('repaired', async () => (await countEvents('instance.repaired')) === 1, shown)
  await until('shown', async () => (await observedState()) === 'running', shown)
  assert.equal((await container?.inspect())?.State.Running, true)
})

test('a volume removed with its container is never made again empty: a task says so, and nothing is repaired', async () => {
  const [container] = await ownContainers()
  const { docker, volumes } = await listObjects(installation.installationId)
  await container?.remove({ force: true })
  for (const { Name: name } of volumes) await docker.getVolume(name).remove()
  const task = await until(
    'a task',
    async () =>
      await installation.db
        .selectFrom('tasks')
        .selectAll()
        .where('kind', '=', 'instance_drift')
        .where('closed_at', 'is', null)
        .executeTakeFirst(),
    shown,
  )
  assert.match(task.detail, /is not on the server any more, and its data with it/)
  assert.equal(await observedState(), 'absent')
  const { volumes: left, containers } = await listObjects(installation.installationId)
  assert.deepEqual([left.length, containers.length], [0, 0])
  const { body } = await installation.call('GET', '/v1/findings')
  const kinds = (body['data'] as Json[]).map((one) => one['kind'])
  assert.deepEqual(kinds.map(String).toSorted(), ['missing_container', 'missing_volume'])
  const [finding] = body['data'] as Json[]
  const refused = await installation.call('POST', `/v1/instances/${String(finding?.['instance'])}/repair`, {})
  assert.deepEqual([refused.status, refused.body['code']], [409, 'volume_missing'])
})

test('a cancellation is not held up: what is removed by an unbuild stays removed', async () => {
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'its data is gone' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  const { containers, volumes, networks } = await listObjects(installation.installationId)
  assert.deepEqual([containers.length, volumes.length, networks.length], [0, 0, 0])
})
