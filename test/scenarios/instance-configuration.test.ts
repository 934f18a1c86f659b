import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { runIn } from '#test/support/kept-data.ts'
import { sellApplication, standInImage } from '#test/support/sold-application.ts'

const GIB = 1024 * 1024 * 1024

let installation: TestInstallation
let diary: Diary
let subscription: string
let address: string
/** The next container that is made anew is removed again, and its activity fails. */
let isInterrupted = false

before(async () => {
  installation = await startInstallation({
    wrapRunner: (runner) => ({
      ...runner,
      async ensure(step, ctx) {
        const outcome = await runner.ensure(step, ctx)
        if (!isInterrupted || step.kind !== 'container' || outcome.change !== 'replaced') return outcome
        isInterrupted = false
        await runner.remove(step, ctx)
        throw new Error('the worker died here')
      },
    }),
  })
  diary = createDiary(installation)
  const site = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(site, 'active')
  const image = await standInImage(installation)
  const compose = `
services:
  web:
    image: "clouder-test:${process.pid}"
    user: "1000:1000"
    mem_limit: 2g
    environment: { GREETING: "\${GREETING:-hello}" }
    expose: ["8080"]
    volumes: ["data:/data"]
  side:
    image: "clouder-test:${process.pid}"
    user: "1000:1000"
volumes: { data: {} }
x-clouder:
  title: Changed in place
  public: { service: web, port: 8080 }
`
  const { docker } = await listObjects(installation.installationId)
  await docker.getImage(image).tag({ repo: 'clouder-test', tag: String(process.pid) })
  subscription = await sellApplication(installation, diary, { code: 'changeable', compose })
  await diary.untilPhase(subscription, 'active')
  const { body } = await installation.call('GET', `/v1/instances?subscription=${subscription}`)
  address = `/v1/instances/${String((body['data'] as Json[])[0]?.['id'])}`
})
after(async () => {
  await installation.stop()
  const { docker } = await listObjects(installation.installationId)
  await docker.getImage(`clouder-test:${process.pid}`).remove()
})

async function container(service: string) {
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.find(
    ({ Labels: labels }) =>
      labels['io.clouder.subscription'] === subscription && labels['io.clouder.component'] === service,
  )
  const handle = docker.getContainer(own?.Id ?? assert.fail(`no container ${service}`))
  return { handle, found: await handle.inspect() }
}

async function inWeb(script: string): Promise<string> {
  const { handle } = await container('web')
  return await runIn(handle, script, '0')
}

const change = async (body: Json) => await installation.call('PATCH', address, body)
const comparison = async () => (await installation.call('GET', `${address}/comparison`)).body

const effects = (body: Json) =>
  Object.fromEntries((body['containers'] as Json[]).map(({ service, effect }) => [service, effect]))

async function untilApplied(): Promise<void> {
  await until('it runs as wanted', async () => {
    await installation.relay()
    return (await comparison())['is_as_wanted'] === true
  })
}

const openTasks = async () =>
  await installation.db.selectFrom('tasks').select('kind').where('closed_at', 'is', null).execute()

test('memory from 2 to 4 GiB: previewed without a restart, the same container on the same volume, and an event says by whom', async () => {
  await inWeb('echo kept > /data/note')
  const { found: before } = await container('web')
  assert.equal(before.HostConfig.Memory, 2 * GIB)
  const limits = { web: { memory_mib: 4096 } }
  const preview = await installation.call('POST', `${address}/preview`, { limits })
  assert.deepEqual([preview.status, effects(preview.body)], [200, { web: 'updated', side: 'kept' }])
  assert.equal((await container('web')).found.HostConfig.Memory, 2 * GIB)
  const changed = await change({ limits, reason: 'more pages' })
  assert.deepEqual([changed.status, effects(changed.body)], [200, { web: 'updated', side: 'kept' }])
  await untilApplied()
  const { found } = await container('web')
  assert.equal(found.HostConfig.Memory, 4 * GIB)
  assert.deepEqual([found.Id, found.State.StartedAt], [before.Id, before.State.StartedAt])
  assert.equal(await inWeb('cat /data/note'), 'kept')
  const [event] = await installation.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'instance.changed')
    .execute()
  const { changes, reason, by } = event?.data ?? {}
  assert.deepEqual(changes, [{ what: 'web memory_mib', from: '2048', to: '4096' }])
  assert.deepEqual([reason, typeof by], ['more pages', 'string'])
})

test('a variable that is only wanted shows old and new; apply replaces what uses it and nothing else, and its data stays', async () => {
  const { found: side } = await container('side')
  const { found: web } = await container('web')
  const changed = await change({ variables: { GREETING: 'good morning' }, apply: false })
  assert.deepEqual(effects(changed.body), { web: 'replaced', side: 'kept' })
  const compared = await comparison()
  assert.equal(compared['is_as_wanted'], false)
  assert.deepEqual(compared['differences'], [
    { service: 'web', key: 'environment.GREETING', wanted: 'good morning', running: 'hello' },
  ])
  assert.equal((await container('web')).found.Id, web.Id)
  isInterrupted = true
  assert.equal((await installation.call('POST', `${address}/apply`, {})).status, 200)
  await untilApplied()
  assert.equal(isInterrupted, false)
  const { found } = await container('web')
  assert.notEqual(found.Id, web.Id)
  assert.ok(found.Config.Env.includes('GREETING=good morning'))
  assert.equal(found.HostConfig.Memory, 4 * GIB)
  assert.equal((await container('side')).found.Id, side.Id)
  assert.equal(await inWeb('cat /data/note'), 'kept')
})

test('what somebody changed on the server is told with both values, and apply ends it', async () => {
  const { handle } = await container('side')
  await handle.update({ Memory: 64 * 1024 * 1024, MemorySwap: 64 * 1024 * 1024 })
  await installation.reconcile()
  const [memory] = (await comparison())['differences'] as Json[]
  assert.deepEqual(memory, { service: 'side', key: 'memory_mib', wanted: '512', running: '64' })
  await installation.call('POST', `${address}/apply`, {})
  await untilApplied()
  assert.equal((await container('side')).found.HostConfig.Memory, 512 * 1024 * 1024)
})

test('a display name changes nothing on the server', async () => {
  const { found: before } = await container('web')
  const named = await change({ name: 'Our shop' })
  assert.deepEqual([named.status, named.body['display_name']], [200, 'Our shop'])
  assert.deepEqual(effects(named.body), { web: 'kept', side: 'kept' })
  assert.equal((await container('web')).found.Name, before.Name)
})

test('what there is not, and an instance that does not run, are refused and nothing is changed', async () => {
  const pointerOf = ({ body }: { body: Json }) => (body['errors'] as Json[])[0]?.['pointer']
  const unknown = await change({ variables: { NOBODY: 'x' } })
  assert.deepEqual([unknown.status, unknown.body['code'], pointerOf(unknown)], [422, 'field_invalid', '/variables/NOBODY']) // prettier-ignore
  const service = await change({ limits: { nobody: { memory_mib: 100 } } })
  assert.deepEqual([service.status, pointerOf(service)], [422, '/limits/nobody'])
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'a test' })
  const suspended = await change({ limits: { web: { memory_mib: 1024 } } })
  assert.deepEqual([suspended.status, suspended.body['code']], [409, 'action_not_allowed'])
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  assert.equal((await container('web')).found.HostConfig.Memory, 4 * GIB)
})

test('a change that does not come up has a task that says why, and the way back is a change', async () => {
  const { found } = await container('web')
  // Its port is taken by somebody else while it is made anew.
  const port = Object.values(found.NetworkSettings.Ports).flat()[0]?.HostPort ?? ''
  await (await container('web')).handle.stop({ t: 1 })
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(Number(port), '127.0.0.1', resolve))
  await change({ variables: { GREETING: 'good evening' } })
  await until('it has a task', async () => {
    await installation.relay()
    return (await openTasks()).some(({ kind }) => kind === 'replacement_failed')
  })
  await new Promise((resolve) => other.close(resolve))
  await installation.call('POST', `${address}/apply`, {})
  await untilApplied()
  assert.ok((await container('web')).found.Config.Env.includes('GREETING=good evening'))
  await until('its task is closed', async () =>
    (await openTasks()).every(({ kind }) => kind !== 'replacement_failed'),
  )
})
