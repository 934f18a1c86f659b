import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { sellApplication } from '#test/support/sold-application.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

async function sell(code: string, compose: string): Promise<string> {
  return await sellApplication(installation, diary, { code, compose })
}

/** An image that the engine has, so that only what a test breaks is broken. */
async function builtImage(): Promise<string> {
  const { docker } = await listObjects(installation.installationId)
  const images = await docker.listImages({ filters: { label: ['io.clouder.managed=true'] } })
  const tag = images
    .flatMap((image) => image.RepoTags ?? [])
    .find((name) => name.startsWith('clouder/demo-static-site:'))
  assert.ok(tag, 'the static site was built before')
  return tag
}

async function openTasks(subscription: string): Promise<Json[]> {
  const tasks = await diary.list('/v1/tasks?limit=100')
  return tasks.filter((task) => task['closed_at'] === null && task['subject_id'] === subscription)
}

/** What was undone reserves nothing: its server may be full by the time that somebody asks for the retry. */
async function assertRetryNeedsPlace(subscription: string): Promise<void> {
  const server = await diary.get('/v1/servers/local')
  const { instances } = server['capacity'] as { instances: { reserved: string } }
  const offer = async (count: number | null) =>
    await installation.call('PATCH', '/v1/servers/local', { capacity: { instances: count } })
  await offer(Number(instances.reserved))
  const refused = await installation.call('POST', `/v1/subscriptions/${subscription}/retry-build`, {})
  assert.deepEqual([refused.status, refused.body['code']], [409, 'no_server_for_application'])
  await offer(null)
}

async function assertNothingLeft(subscription: string): Promise<void> {
  const { containers, volumes } = await listObjects(installation.installationId)
  const own = [...containers.map((found) => found.Labels), ...volumes.map((found) => found.Labels)]
  assert.deepEqual(
    own.filter((labels) => labels['io.clouder.subscription'] === subscription),
    [],
  )
  assert.deepEqual(await diary.invoices(subscription), [])
}

test('an image that cannot be had: undone, billed nothing, one task that says why; cancelled, it ends', async () => {
  const subscription = await sell(
    'no-image',
    'services: { web: { image: "clouder.invalid/nowhere:1", expose: ["80"], volumes: ["data:/data"] } }\nvolumes: { data: {} }\nx-clouder: { title: No image, public: { service: web, port: 80 } }\n',
  )
  const parked = await diary.untilParked(subscription)
  assert.match(String(parked['parked_reason']), /^image_un/)
  await assertNothingLeft(subscription)
  const [task, ...others] = await openTasks(subscription)
  assert.deepEqual(others, [])
  assert.match(String(task?.['detail']), /clouder\.invalid/)
  await assertRetryNeedsPlace(subscription)
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'gave up' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  assert.deepEqual(await openTasks(subscription), [])
  assert.deepEqual(await diary.invoices(subscription), [])
})

test('a health check that never gets green: undone, billed nothing, and the task shows what was waited for', async () => {
  const image = await builtImage()
  const subscription = await sell(
    'never-healthy',
    `services: { web: { image: "${image}", expose: ["8080"], user: "1000:1000", healthcheck: { test: ["CMD", "false"], interval: 1s, retries: 2 } } }\nx-clouder: { title: Never healthy, public: { service: web, port: 8080 }, ready: { path: /, timeout_s: 5 } }\n`,
  )
  const parked = await diary.untilParked(subscription)
  assert.equal(parked['parked_reason'], 'not_ready_in_time')
  await assertNothingLeft(subscription)
  assert.equal((await openTasks(subscription)).length, 1)
})

test('cancelled while it is built: stopped between two steps, undone, billed nothing', async () => {
  const image = await builtImage()
  const subscription = await sell(
    'slow-start',
    `services: { web: { image: "${image}", expose: ["8080"], user: "1000:1000", healthcheck: { test: ["CMD", "false"], interval: 1s, retries: 60 } } }\nx-clouder: { title: Slow start, public: { service: web, port: 8080 }, ready: { path: /, timeout_s: 6 } }\n`,
  )
  await until('the ready check runs', async () => {
    const [build] = await diary.list(`/v1/builds?subscription=${subscription}`)
    return build && JSON.stringify(await diary.get(`/v1/builds/${String(build['id'])}`)).includes('running')
  })
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'changed my mind' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  await assertNothingLeft(subscription)
  assert.deepEqual(await openTasks(subscription), [])
})
