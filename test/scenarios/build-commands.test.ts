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
let image = ''

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  const site = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(site, 'active')
  const steps = (await newestBuild(site))['steps'] as Json[]
  image = String(steps.find((step) => step['kind'] === 'image')?.['name'])
})
after(async () => await installation.stop())

async function newestBuild(subscription: string): Promise<Json> {
  const [build] = await diary.list(`/v1/builds?subscription=${subscription}&limit=1`)
  return build === undefined ? {} : await diary.get(`/v1/builds/${String(build['id'])}`)
}

/** Its page never answers: the ready check looks for as long as it may. */
async function sellSilent(code: string, timeoutS: number): Promise<string> {
  const command = '["/bin/busybox", "sh", "-c", "echo begun; exec /bin/busybox httpd -f -p 8080 -h /www"]'
  const compose = `services: { web: { image: "${image}", expose: ["8080"], user: "1000:1000", command: ${command} } }
x-clouder: { title: Silent, public: { service: web, port: 8080 }, ready: { path: /nowhere, timeout_s: ${timeoutS} } }
`
  return await sellApplication(installation, diary, { code, compose })
}

function stepOf(build: Json, kind: string): Json {
  const steps = (build['steps'] ?? []) as Json[]
  return steps.find((step) => step['kind'] === kind) ?? {}
}

async function untilReadyRuns(subscription: string): Promise<Json> {
  return await until('the ready check runs', async () => {
    const build = await newestBuild(subscription)
    const ready = stepOf(build, 'ready')
    return ready['state'] === 'running' && ready['progress'] !== null && build
  })
}

test('a ready check that is left out, with a reason, lets the build end while it still looks', async () => {
  const subscription = await sellSilent('skipped', 600)
  const build = await untilReadyRuns(subscription)
  const ready = stepOf(build, 'ready')
  assert.deepEqual(ready['allowed_actions'], ['resume', 'skip', 'mark-done'])
  assert.match(String(ready['progress']), /answers 404/)
  assert.ok(Date.parse(String(ready['progress_at'])) > 0 && Number(ready['duration_ms']) > 0)

  const skip = `/v1/builds/${String(build['id'])}/skip`
  const refused = await installation.call('POST', skip, { step: ready['id'] })
  assert.deepEqual([refused.status, refused.body['code']], [422, 'reason_required'])
  const container = stepOf(build, 'container')
  const whole = await installation.call('POST', skip, { step: container['id'], reason: 'no' })
  assert.deepEqual([whole.status, whole.body['code']], [409, 'action_not_allowed'])

  await diary.post(skip, { step: ready['id'], reason: 'its page needs a login' })
  await diary.untilPhase(subscription, 'active')
  const done = await newestBuild(subscription)
  const left = stepOf(done, 'ready')
  const decision = left['decision'] as Json
  assert.equal(left['state'], 'done')
  assert.match(String(left['progress']), /^Skipped by key_\w+: its page needs a login$/)
  assert.equal(decision['kind'], 'skip')
  assert.equal(decision['reason'], 'its page needs a login')
  const told = (await diary.events(subscription)).find((event) => event['kind'] === 'build.step_skipped')
  const { actor, reason } = (told?.['data'] ?? {}) as Json
  assert.deepEqual([actor, reason], [decision['actor'], 'its page needs a login'])
  const late = await installation.call('POST', skip, { step: ready['id'], reason: 'again' })
  assert.equal(late.body['code'], 'action_not_allowed')
})

test('cancelled by an operator, a build is undone, its subscription waits, and what was decided holds for the retry', async () => {
  const subscription = await sellSilent('cancelled', 600)
  const build = await untilReadyRuns(subscription)
  assert.equal(build['can_cancel'], true)
  await diary.post(`/v1/builds/${String(build['id'])}/cancel`, { reason: 'wrong image' })
  assert.equal((await diary.untilParked(subscription))['parked_reason'], 'build_cancelled')
  const undone = await newestBuild(subscription)
  assert.equal(undone['state'], 'undone')
  const { containers } = await listObjects(installation.installationId)
  assert.deepEqual(
    containers.filter((found) => found.Labels['io.clouder.subscription'] === subscription),
    [],
  )
  const event = (await diary.events(subscription)).find(({ kind }) => kind === 'build.cancel_asked')
  const asked = (event?.['data'] ?? {}) as Json
  assert.equal(asked['reason'], 'wrong image')

  const address = `/v1/builds/${String(undone['id'])}`
  const resumed = await installation.call('POST', `${address}/resume`, {
    step: stepOf(undone, 'ready')['id'],
  })
  assert.equal(resumed.body['code'], 'action_not_allowed')
  await diary.post(`${address}/mark-done`, { step: stepOf(undone, 'ready')['id'], reason: 'seen by hand' })
  await diary.post(`${address}/retry`, {})
  await diary.untilPhase(subscription, 'active')
  const retried = await newestBuild(subscription)
  assert.match(String(stepOf(retried, 'ready')['progress']), /^Marked as done by key_\w+: seen by hand$/)
})

test('resumed from a step, a build makes what was lost since, and what waits for it once more', async () => {
  const subscription = await sellSilent('resumed', 600)
  const build = await untilReadyRuns(subscription)
  const container = stepOf(build, 'container')
  const { docker } = await listObjects(installation.installationId)
  await docker.getContainer(String(container['name'])).remove({ force: true })
  await diary.post(`/v1/builds/${String(build['id'])}/resume`, {
    step: container['id'],
    reason: 'it was removed',
  })
  await until('it was made again', async () => {
    const found = await docker
      .getContainer(String(container['name']))
      .inspect()
      .catch(() => undefined)
    return found?.State.Running
  })
  await until('its step is done again', async () => {
    return stepOf(await newestBuild(subscription), 'container')['state'] === 'done'
  })
  const again = await untilReadyRuns(subscription)
  assert.equal(stepOf(again, 'volume')['state'], stepOf(build, 'volume')['state'])
  await diary.post(`/v1/builds/${String(build['id'])}/skip`, {
    step: stepOf(again, 'ready')['id'],
    reason: 'seen',
  })
  await diary.untilPhase(subscription, 'active')
})

test('what never got ready shows the last lines of its containers', async () => {
  const subscription = await sellSilent('unready', 2)
  await diary.untilParked(subscription)
  const ready = stepOf(await newestBuild(subscription), 'ready')
  assert.equal((ready['failure'] as Json)['code'], 'not_ready_in_time')
  assert.match(String(ready['log_tail']), /container .*_web wrote:\nbegun/)
})
