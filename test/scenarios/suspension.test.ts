import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { listObjects, startInstallation, until, type TestInstallation } from '#test/support/installation.ts'

// Suspended for two reasons: what is stopped stays stopped, whatever is tried, until both are gone.

let installation: TestInstallation
let diary: Diary
let subscription: string
let address: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  subscription = await diary.order([{ product: 'static-site' }])
  const active = await diary.untilPhase(subscription, 'active')
  address = String((active['instances'] as { address: string }[])[0]?.address)
})
after(async () => await installation.stop())

const answers = async () =>
  await fetch(address).then(
    (response) => response.ok,
    () => false,
  )

const ask = async (action: string, body: object) =>
  await installation.call('POST', `/v1/subscriptions/${subscription}/${action}`, body)

async function standing() {
  const { phase, suspensions, suspended_reason: reason } = await diary.subscription(subscription)
  return { phase, codes: (suspensions as { code: string }[]).map(({ code }) => code), reason }
}

async function container() {
  const { docker, containers } = await listObjects(installation.installationId)
  return docker.getContainer(containers[0]?.Id ?? assert.fail('no container'))
}

const isRunning = async () => (await (await container()).inspect()).State.Running

chapter('suspended for debt, it is seen stopped and nothing answers', async () => {
  assert.equal(await answers(), true)
  const { status } = await ask('suspend', { reason: 'Two invoices are overdue.', code: 'debt' })
  assert.deepEqual([status, await isRunning(), await answers()], [200, false, false])
  assert.deepEqual(await standing(), {
    phase: 'suspended',
    codes: ['debt'],
    reason: 'Two invoices are overdue.',
  })
})

chapter('it is suspended for abuse besides, and for the same reason only once', async () => {
  await ask('suspend', { reason: 'It sent spam.', code: 'abuse' })
  const again = await ask('suspend', { reason: 'It sent more.', code: 'abuse' })
  assert.deepEqual([again.status, again.body['code']], [409, 'action_not_allowed'])
  assert.deepEqual(await standing(), {
    phase: 'suspended',
    codes: ['debt', 'abuse'],
    reason: 'Two invoices are overdue.; It sent spam.',
  })
})

chapter(
  'a container that is started by hand meanwhile is stopped again by the next reconciliation',
  async () => {
    await (await container()).start()
    await installation.reconcile()
    await until('it is stopped again', async () => !(await isRunning()))
    assert.equal(await answers(), false)
  },
)

chapter('without the name of a reason nothing is lifted', async () => {
  const { status, body } = await ask('resume', {})
  assert.deepEqual([status, body['code']], [409, 'suspended'])
  assert.match(String(body['detail']), /debt, abuse/)
})

chapter('paid, it stays suspended for abuse, and stopped', async () => {
  const { status } = await ask('resume', { code: 'debt' })
  assert.equal(status, 200)
  assert.deepEqual(await standing(), { phase: 'suspended', codes: ['abuse'], reason: 'It sent spam.' })
  assert.deepEqual([await isRunning(), await answers()], [false, false])
})

chapter('the last reason lifted, it runs and answers, and the timeline tells all of it', async () => {
  await ask('resume', { code: 'abuse' })
  assert.deepEqual(await standing(), { phase: 'active', codes: [], reason: null })
  assert.equal(await answers(), true)
  const told = (await diary.events(subscription))
    .filter(({ kind }) => /suspen|resumed/.test(String(kind)))
    .map(({ kind, data }) => [kind, (data as { code?: string }).code])
  assert.deepEqual(told, [
    ['subscription.resumed', undefined],
    ['subscription.suspension_lifted', 'debt'],
    ['subscription.suspended', 'abuse'],
    ['subscription.suspended', 'debt'],
  ])
})
