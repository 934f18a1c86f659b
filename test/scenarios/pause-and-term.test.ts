import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let clock: string
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const ask = async (action: string, body: Json): Promise<Json> =>
  await diary.post(`/v1/subscriptions/${subscription}/${action}`, body)

/** `recurring 2026-05-01/2026-06-01 300`, of the newest invoice. */
async function linesOfNewest(): Promise<string[]> {
  const invoice = (await diary.invoices(subscription)).at(-1) ?? {}
  return (invoice['lines'] as Json[])
    .map((line) => {
      const { start, end } = line['service_period'] as { start: string; end: string }
      const { amount_minor: minor } = line['amount'] as { amount_minor: number }
      return `${String(line['kind'])} ${start}/${end} ${minor}`
    })
    .toSorted()
}

async function isAnswering(): Promise<boolean> {
  const { instances } = (await diary.subscription(subscription)) as { instances: { address: string }[] }
  return await fetch(instances[0]?.address ?? '')
    .then(async (response) => (await response.text()).length > 0)
    .catch(() => false)
}

const phase = async () => (await diary.subscription(subscription))['phase']

chapter('1 April: a site is sold and answers', async () => {
  clock = await diary.createClock('2026-04-01T09:00:00Z')
  subscription = await diary.order([{ product: 'static-site' }], { clock })
  await diary.untilPhase(subscription, 'active')
  assert.equal(await isAnswering(), true)
})

chapter('a pause from 11 to 20 April is planned; it stops by itself and starts by itself', async () => {
  const planned = await ask('pause', { starts_on: '2026-04-11', ends_on: '2026-04-21', reason: 'holidays' })
  assert.equal(planned['phase'], 'active')
  assert.ok((planned['allowed_actions'] as string[]).includes('unpause'))
  await diary.advance(clock, { to: '2026-04-11T00:00:00Z' })
  assert.deepEqual([await phase(), await isAnswering()], ['suspended', false])
  await diary.advance(clock, { to: '2026-04-21T00:00:00Z' })
  assert.deepEqual([await phase(), await isAnswering()], ['active', true])
})

chapter('1 May: the ten days come back, and May is charged', async () => {
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  assert.deepEqual(await linesOfNewest(), [
    'credit 2026-04-11/2026-05-01 -200',
    'recurring 2026-04-21/2026-05-01 100',
    'recurring 2026-05-01/2026-06-01 300',
  ])
})

chapter('10 May: paused at once and without an end, nothing runs and nothing is charged', async () => {
  await diary.advance(clock, { to: '2026-05-10T09:00:00Z' })
  const paused = await ask('pause', {})
  assert.equal(paused['phase'], 'suspended')
  assert.equal(await isAnswering(), false)
  await diary.advance(clock, { to: '2026-07-15T09:00:00Z' })
  assert.deepEqual(await linesOfNewest(), ['credit 2026-05-10/2026-06-01 -213'])
})

chapter('15 July: resumed, it answers and is charged from that day', async () => {
  const resumed = await ask('resume', {})
  assert.equal(resumed['phase'], 'active')
  assert.equal(await isAnswering(), true)
  await diary.advance(clock, { to: '2026-07-15T12:00:00Z' })
  assert.deepEqual(await linesOfNewest(), ['recurring 2026-07-15/2026-08-15 300'])
})

chapter('a quarterly term is agreed; it is renewed, and then ends by itself', async () => {
  const quarter = { length: { count: 1, unit: 'quarter' }, notice: { count: 1, unit: 'week' } }
  await ask('set-term', quarter)
  await diary.advance(clock, { to: '2026-10-01T00:00:00Z' })
  assert.equal((await diary.subscription(subscription))['term_ends_on'], '2027-01-01')
  await ask('set-term', { ...quarter, renewal: 'end' })
  await diary.advance(clock, { to: '2027-01-01T12:00:00Z' })
  await diary.untilPhase(subscription, 'ended')
  const invoices = await diary.invoices(subscription)
  assert.deepEqual(
    ((invoices.at(-1) ?? {})['lines'] as Json[]).map((line) => line['service_period']),
    [{ start: '2026-12-15', end: '2027-01-01' }],
  )
})
