import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

async function sellUsers(): Promise<{ subscription: string; line: string; clock: string }> {
  const clock = await diary.createClock('2026-04-01T09:00:00Z')
  const subscription = await diary.order([{ product: 'odoo-user', quantity: 5 }], { clock })
  await diary.untilPhase(subscription, 'active')
  await until('billed for April', async () => (await diary.invoices(subscription)).length === 1)
  return { subscription, line: String((await linesOf(subscription))[0]?.['id']), clock }
}

const linesOf = async (subscription: string): Promise<Json[]> =>
  (await diary.subscription(subscription))['lines'] as Json[]

/** What happened of these kinds, in the order of the timeline. */
async function timeline(subscription: string, ...kinds: string[]): Promise<string[]> {
  const events = await diary.events(subscription)
  const inOrder = events.map((event) => ({ seq: String(event['id']), kind: String(event['kind']) }))
  return inOrder
    .filter(({ kind }) => kinds.includes(kind))
    .toSorted((one, other) => (one.seq < other.seq ? -1 : 1))
    .map(({ kind }) => kind)
}

const ask = async (subscription: string, action: string, body: Json) =>
  await installation.call('POST', `/v1/subscriptions/${subscription}/${action}`, body)

chapter('an upgrade and a cancellation of one moment are both answered, in one order', async () => {
  const { subscription, line } = await sellUsers()
  const [upgrade, cancel] = await Promise.all([
    ask(subscription, 'change-plan', { line, quantity: 7 }),
    ask(subscription, 'cancel', { reason: 'moved' }),
  ])
  assert.equal(cancel.status, 200)
  const told = await timeline(subscription, 'subscription.changed', 'subscription.cancelled')
  // Cancelled first, it takes no upgrade any more; else both hold, and the upgrade was before.
  if (upgrade.status === 200) assert.deepEqual(told, ['subscription.changed', 'subscription.cancelled'])
  else {
    assert.deepEqual([upgrade.status, upgrade.body['code']], [409, 'action_not_allowed'])
    assert.deepEqual(told, ['subscription.cancelled'])
  }
  const quantities = (await linesOf(subscription)).map((one) => [one['quantity'], one['ends_on']])
  assert.deepEqual(quantities.at(-1), [upgrade.status === 200 ? '7' : '5', '2026-05-01'])
})

chapter('the same command id again is answered the same, and changes nothing more', async () => {
  const { subscription, line } = await sellUsers()
  const workflow = installation.client.workflow.getHandle(`subscription/${subscription}`)
  const send = async (requestId: string, quantity: string, updateId: string) =>
    await workflow.executeUpdate('changePlan', {
      updateId,
      args: [{ kind: 'changePlan', requestId, subscriptionLineId: line, quantity }],
    })
  const done = await send('req_six', '6', 'first')
  assert.deepEqual(await send('req_six', '6', 'second'), done)
  assert.deepEqual(done, { requestId: 'req_six', refusal: null })
  const current = (await linesOf(subscription)).at(-1)?.['id']
  const refuse = async (updateId: string) =>
    await workflow.executeUpdate('changePlan', {
      updateId,
      args: [{ kind: 'changePlan', requestId: 'req_same', subscriptionLineId: current, quantity: '6' }],
    })
  const refused = (await refuse('third')) as { refusal: { code: string } | null }
  assert.equal(refused.refusal?.code, 'quantity_unchanged')
  assert.deepEqual(await refuse('fourth'), refused)
  assert.deepEqual(await timeline(subscription, 'subscription.changed'), ['subscription.changed'])
})

chapter('while suspended it takes no upgrade, and can be cancelled', async () => {
  const { subscription, line, clock } = await sellUsers()
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'not paid' })
  const upgrade = await ask(subscription, 'change-plan', { line, quantity: 7 })
  assert.deepEqual([upgrade.status, upgrade.body['code']], [409, 'action_not_allowed'])
  assert.match(String(upgrade.body['detail']), /suspended.*Possible now: cancel/)
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { reason: 'moved' })
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  await diary.untilPhase(subscription, 'ended')
  assert.equal((await diary.invoices(subscription)).length, 1)
})

chapter('one line is withdrawn, brought back and delayed, each with its answer', async () => {
  const { subscription, line, clock } = await sellUsers()
  await diary.post(`/v1/subscriptions/${subscription}/change-plan`, { line, quantity: 3 })
  const planned = async () => (await linesOf(subscription)).find((one) => one['quantity'] === '3')
  const id = (await planned())?.['id']
  assert.deepEqual((await planned())?.['allowed_actions'], ['pause', 'stop', 'cancel', 'delay', 'delete'])
  await diary.post(`/v1/subscriptions/${subscription}/cancel-line`, { line: id })
  assert.deepEqual(
    [(await planned())?.['state'], (await planned())?.['allowed_actions']],
    ['cancelled', ['uncancel', 'delete']],
  )
  await diary.post(`/v1/subscriptions/${subscription}/uncancel-line`, { line: id })
  await diary.post(`/v1/subscriptions/${subscription}/delay-line`, { line: id, starts_on: '2026-05-16' })
  const refused = await ask(subscription, 'delete-line', { line })
  assert.deepEqual([refused.status, refused.body['code']], [409, 'action_not_allowed'])
  assert.match(String(refused.body['detail']), /it was billed/)
  await diary.advance(clock, { to: '2026-06-01T09:00:00Z' })
  const billed = (await diary.invoices(subscription)).flatMap((invoice) =>
    (invoice['lines'] as Json[]).map((one) => one['service_period']),
  )
  assert.partialDeepStrictEqual(billed, [
    { start: '2026-04-01', end: '2026-05-01' },
    { start: '2026-05-16', end: '2026-06-01' },
    { start: '2026-06-01', end: '2026-07-01' },
  ])
})
