import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { listObjects, startInstallation, until, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

test('a container that somebody removed holds up no suspension and no cancellation, and a resume says that it is gone', async () => {
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.find((found) => found.Labels['io.clouder.subscription'] === subscription)
  await docker.getContainer(own?.Id ?? '').remove({ force: true })
  const address = `/v1/subscriptions/${subscription}`
  await diary.post(`${address}/suspend`, { reason: 'removed by hand' })
  const refused = await diary.post(`${address}/resume`, {}, 409)
  assert.equal(refused['code'], 'container_exited')
  assert.equal((await diary.subscription(subscription))['phase'], 'suspended')
  await diary.post(`${address}/cancel`, { when: 'now', reason: 'gone' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
})
