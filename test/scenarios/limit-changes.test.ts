import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { workflowIds } from '#workflows/contract.ts'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { runIn } from '#test/support/kept-data.ts'

// A limit that an application holds by itself: more of it for a while, less of it than is used, and set again until it holds.

let installation: TestInstallation
let diary: Diary
let clock: string
let subscription: string

before(async () => {
  installation = await startInstallation({ limitPatienceMs: 2_000 })
  diary = createDiary(installation)
})
after(async () => await installation.stop())

async function instanceOf(): Promise<Json & { address: string; limits: Json[] }> {
  const { instances } = (await diary.subscription(subscription)) as { instances: never[] }
  return instances[0] ?? assert.fail('it has an instance')
}

async function addUser(name: string): Promise<number> {
  const response = await fetch(new URL('/cgi-bin/users', (await instanceOf()).address), {
    method: 'POST',
    body: new URLSearchParams({ name }),
  })
  await response.text()
  return response.status
}

async function container() {
  const { docker, containers } = await listObjects(installation.installationId)
  return docker.getContainer(containers[0]?.Id ?? '')
}

/** As an administrator would: only the first ones stay. */
async function keepUsers(count: number): Promise<void> {
  await runIn(await container(), `head -n ${count} /data/users > /tmp/kept && cat /tmp/kept > /data/users`)
}

async function soldUsers(): Promise<unknown[]> {
  const { limits } = await instanceOf()
  const users = limits.find(({ code }) => code === 'users')
  return [users?.['sold_quantity'], users?.['in_force_quantity']]
}

async function lineInForce(): Promise<string> {
  const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
  return String(lines.find((line) => line['product'] === 'odoo-user' && line['ends_on'] === null)?.['id'])
}

async function change(body: Json) {
  const asked = { line: await lineInForce(), ...body }
  return await installation.call('POST', `/v1/subscriptions/${subscription}/change-plan`, asked)
}

const waiting = async () => (await diary.subscription(subscription))['waiting_changes'] as Json[]

async function eventsOf(kind: string): Promise<Json[]> {
  return (await diary.events(subscription)).filter((event) => event['kind'] === kind)
}

const openTasks = async (of = 'change_unfit') =>
  (await diary.list('/v1/tasks?open=true')).filter(({ kind }) => kind === of)

chapter('10 April: on top of 5 users, 2 are sold until the end of the period, for 3.00', async () => {
  clock = await diary.createClock('2026-04-01T09:00:00Z')
  subscription = await diary.order([{ kit: 'odoo-config-1' }], { clock })
  await diary.untilPhase(subscription, 'active')
  const extra = {
    code: 'odoo-user-extra',
    name: 'Users for a while',
    billing_type: 'threshold',
    billing_timing: 'advance',
    recurrence: null,
    unit: 'user',
    base_price: '1.50',
    currency: 'USD',
    applications: ['odoo-stand-in'],
    limit: 'users',
  }
  await diary.post('/v1/products', extra, 201)
  await diary.advance(clock, { to: '2026-04-10T09:00:00Z' })
  for (const name of ['u1', 'u2', 'u3', 'u4', 'u5']) assert.equal(await addUser(name), 201)
  assert.equal(await addUser('u6'), 403)
  const lines = [{ product: 'odoo-user-extra', quantity: '2', subscription }]
  await diary.post('/v1/orders', { customer: 'harbour-bakery', lines, test_clock: clock }, 201)
  await installation.relay()
  await until('7 are in force', async () => (await soldUsers())[1] === '7')
  assert.equal(await addUser('u6'), 201)
  assert.equal(await addUser('u7'), 201)
  assert.equal(await addUser('u8'), 403)
  const { lines: sold } = (await diary.subscription(subscription)) as { lines: Json[] }
  assert.partialDeepStrictEqual(
    sold.find((line) => line['product'] === 'odoo-user-extra'),
    { quantity: '2', starts_on: '2026-04-10', ends_on: '2026-05-01', limit: 'users', interval: null },
  )
})

chapter('1 May: what was sold for a while is billed, and 5 hold again, by command', async () => {
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  assert.deepEqual(await soldUsers(), ['5', '5'])
  const { command } = await installation.db
    .selectFrom('limit_commands')
    .select('command')
    .where('limit_code', '=', 'users')
    .orderBy('sent_at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  assert.deepEqual(command, ['/bin/set-limit', 'users', '5'])
  const invoice = (await diary.invoices(subscription)).at(-1) ?? {}
  assert.partialDeepStrictEqual(
    (invoice['lines'] as Json[]).find((line) => line['product'] === 'odoo-user-extra'),
    { quantity: '2', amount: { amount_minor: 300 } },
  )
})

chapter('a downgrade below what is used is refused with both numbers, or planned', async () => {
  assert.equal((await change({ quantity: '10' })).status, 200)
  for (const name of ['u8', 'u9']) assert.equal(await addUser(name), 201)
  const refused = await change({ quantity: '5' })
  assert.deepEqual([refused.status, refused.body['code']], [409, 'below_current_use'])
  assert.match(String(refused.body['detail']), /^9 .* 5 /)
  const planned = await change({ quantity: '5', below_use: 'plan' })
  assert.equal(planned.status, 200)
  assert.partialDeepStrictEqual(await waiting(), [
    { product: 'odoo-user', from: '10', to: '5', limit: 'users', ceiling: '5', told_on: '2026-06-01' },
  ])
  assert.deepEqual(await soldUsers(), ['10', '10'])
  assert.equal((await eventsOf('subscription.change_waits')).length, 1)
})

chapter('1 June: it does not fit at the end of the period: it is told, once, and waits on', async () => {
  await diary.advance(clock, { to: '2026-06-01T09:00:00Z' })
  assert.partialDeepStrictEqual(
    (await eventsOf('subscription.change_unfit')).map(({ data }) => data),
    [{ used: '9', ceiling: '5' }],
  )
  assert.equal((await openTasks()).length, 1)
  assert.partialDeepStrictEqual(await waiting(), [{ told_on: '2026-07-01' }])
})

chapter('once 5 or fewer are used it is made by itself, as its terms say', async () => {
  const { client, serverId, installationId } = installation
  await keepUsers(5)
  await client.workflow.start('sampler', {
    workflowId: workflowIds.sampler(serverId),
    taskQueue: `installation/${installationId}`,
    args: [{ serverId, intervalMs: 1_000 }],
  })
  await until('it is made', async () => (await waiting()).length === 0)
  const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
  assert.partialDeepStrictEqual(lines.filter((line) => line['product'] === 'odoo-user').slice(-2), [
    { quantity: '10', ends_on: '2026-07-01' },
    { quantity: '5', starts_on: '2026-07-01', ends_on: null },
  ])
  assert.equal((await openTasks()).length, 0)
  await diary.advance(clock, { to: '2026-07-01T09:00:00Z' })
  assert.deepEqual(await soldUsers(), ['5', '5'])
})

chapter('what waits can be withdrawn, once', async () => {
  await change({ quantity: '4', below_use: 'plan' })
  const [asked] = await waiting()
  const address = `/v1/subscriptions/${subscription}/withdraw-change`
  await diary.post(address, { change: asked?.['id'] })
  assert.deepEqual(await waiting(), [])
  await change({ quantity: '3', below_use: 'plan' })
  const again = await installation.call('POST', address, { change: asked?.['id'] })
  assert.deepEqual([again.status, again.body['code']], [409, 'change_not_waiting'])
  await change({ quantity: '6' })
  assert.deepEqual(await waiting(), [])
  assert.deepEqual(
    (await eventsOf('subscription.change_given_up')).map(({ data }) => (data as Json)['state']),
    ['replaced', 'withdrawn'],
  )
})

chapter(
  'a limit is set again in a container that was made anew; refused, it is tried on, told once it lasts, and no longer once it holds',
  async () => {
    const before = await container()
    // What the application holds is not what is sold, and its command fails.
    await runIn(before, 'echo 99 > /data/users.limit; mkdir /data/users.limit.new')
    await before.remove({ force: true })
    await installation.reconcile()
    await installation.relay()
    await until('a person is told', async () => (await openTasks('limit_not_in_force')).length > 0)
    const [task] = await openTasks('limit_not_in_force')
    assert.match(String(task?.['subject']), /(users of 6|emails of \d+) is not in force$/)
    assert.deepEqual(await soldUsers(), ['6', null])
    assert.equal((await eventsOf('limit.refused')).length, 1)

    await runIn(await container(), 'rmdir /data/users.limit.new')
    await until('it holds', async () => (await soldUsers())[1] === '6')
    assert.equal(await runIn(await container(), '/bin/get-limit users'), '6')
    await until('the task is closed', async () => (await openTasks('limit_not_in_force')).length === 0)
  },
)
