import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'
import { listObjects, startInstallation, until, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

test('a container that somebody removed holds up no suspension and no cancellation; a resume makes it anew, but not the data that is gone', async () => {
  const remove = async (subscription: string): Promise<void> => {
    const { docker, containers } = await listObjects(installation.installationId)
    const own = containers.find((found) => found.Labels['io.clouder.subscription'] === subscription)
    await docker.getContainer(own?.Id ?? '').remove({ force: true })
  }
  const subscription = await diary.order([{ product: 'static-site' }])
  const active = await diary.untilPhase(subscription, 'active')
  await remove(subscription)
  const address = `/v1/subscriptions/${subscription}`
  await diary.post(`${address}/suspend`, { reason: 'removed by hand' })
  await diary.post(`${address}/resume`, {})
  const [instance] = active['instances'] as { address: string }[]
  assert.equal((await fetch(instance?.address ?? '')).status, 200)

  const keeper = createDataKeeper(installation, diary)
  const withData = await keeper.sell('album', '{}')
  await remove(withData)
  const { docker, volumes } = await listObjects(installation.installationId)
  const volume = volumes.find(({ Labels: labels }) => labels?.['io.clouder.subscription'] === withData)
  await docker.getVolume(volume?.Name ?? '').remove()
  await diary.post(`/v1/subscriptions/${withData}/suspend`, { reason: 'removed by hand' })
  const refused = await diary.post(`/v1/subscriptions/${withData}/resume`, {}, 409)
  assert.equal(refused['code'], 'volume_missing')
  assert.equal((await diary.subscription(withData))['phase'], 'suspended')

  await remove(subscription)
  await diary.post(`${address}/cancel`, { when: 'now', reason: 'gone' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
})
