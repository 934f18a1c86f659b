import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
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
let clock: string
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const money = (value: unknown) => (value as { amount_minor: number }).amount_minor
const linesOf = (invoice: Json) =>
  (invoice['lines'] as Json[]).map((line) => {
    const period = line['service_period'] as { start: string; end: string } | null
    return [
      line['product'],
      line['kind'],
      line['quantity'],
      period?.start,
      period?.end,
      money(line['amount']),
    ]
  })

async function addUser(name: string): Promise<number> {
  const { instances } = (await diary.subscription(subscription)) as { instances: { address: string }[] }
  const response = await fetch(new URL('/cgi-bin/users', instances[0]?.address), {
    method: 'POST',
    body: new URLSearchParams({ name }),
  })
  await response.text()
  return response.status
}

async function lineId(product: string): Promise<string> {
  const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
  const line = lines.findLast(
    (candidate) => candidate['product'] === product && candidate['ends_on'] === null,
  )
  return String(line?.['id'])
}

chapter('1 April: Config 1 is sold, built on a real engine, and billed in advance once it runs', async () => {
  clock = await diary.createClock('2026-04-01T09:00:00Z')
  subscription = await diary.order([{ kit: 'odoo-config-1' }], { clock })
  const active = await diary.untilPhase(subscription, 'active')
  assert.equal(active['starts_on'], '2026-04-01')
  const [first] = await until('the first invoice', async () => {
    const invoices = await diary.invoices(subscription)
    return invoices.length > 0 && invoices
  })
  assert.equal(money(first?.['total']), 1000)
  assert.deepEqual(linesOf(first ?? {}), [
    ['odoo-user', 'recurring', '5', '2026-04-01', '2026-05-01', 500],
    ['email', 'recurring', '5', '2026-04-01', '2026-05-01', 500],
  ])
})

chapter('1 April: containers carry labels, limits and a network of their own', async () => {
  const { docker, containers, networks, volumes } = await listObjects(installation.installationId)
  assert.deepEqual([containers.length, networks.length, volumes.length], [1, 1, 1])
  const inspected = await docker.getContainer(containers[0]?.Id ?? '').inspect()
  assert.equal(inspected.Config.Labels['io.clouder.subscription'], subscription)
  assert.equal(inspected.Config.Labels['io.clouder.managed'], 'true')
  assert.equal(inspected.HostConfig.Memory, 64 * 1024 * 1024)
  assert.equal(inspected.HostConfig.PidsLimit, 64)
  assert.deepEqual(inspected.HostConfig.CapDrop, ['ALL'])
  assert.deepEqual(Object.keys(inspected.NetworkSettings.Networks), [networks[0]?.Name])
})

chapter('5 April: the sixth user is refused by the instance itself', async () => {
  for (const name of ['ada', 'bob', 'cleo', 'dan', 'eve']) assert.equal(await addUser(name), 201, name)
  assert.equal(await addUser('fay'), 403)
})

chapter(
  '11 April: after an upgrade to 10 users the sixth is allowed, and the log shows the command and its answer',
  async () => {
    await diary.advance(clock, { to: '2026-04-11T10:00:00Z' })
    await diary.post(`/v1/subscriptions/${subscription}/change-plan`, {
      line: await lineId('odoo-user'),
      quantity: '10',
    })
    assert.equal(await addUser('fay'), 201)
    const log = await installation.db
      .selectFrom('limit_commands')
      .selectAll()
      .where('limit_code', '=', 'users')
      .orderBy('sent_at')
      .execute()
    const last = log.findLast((row) => row.command.includes('10'))
    assert.deepEqual(last?.command, ['/bin/set-limit', 'users', '10'])
    assert.equal(last?.read_back, '10')
    assert.match(last?.answer ?? '', /10/)
  },
)

chapter('1 May: metered usage is billed, and both quantities of April, each for its dates', async () => {
  const events = [
    { source: 'scenario', id: 'network-april', subscription, metric: 'network', quantity: '3' },
    { source: 'scenario', id: 'disk-april', subscription, metric: 'disk', quantity: '2' },
  ]
  await diary.pushUsage(...events)
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  const invoices = await diary.invoices(subscription)
  assert.equal(invoices.length, 2)
  const lines = linesOf(invoices[1] ?? {})
  const withoutUsage = lines.filter((line) => line[1] !== 'usage')
  assert.deepEqual(withoutUsage, [
    ['odoo-user', 'credit', '5', '2026-04-11', '2026-05-01', -333],
    ['odoo-user', 'recurring', '10', '2026-04-11', '2026-05-01', 667],
    ['odoo-user', 'recurring', '10', '2026-05-01', '2026-06-01', 1000],
    ['email', 'recurring', '5', '2026-05-01', '2026-06-01', 500],
  ])
  const usage = lines
    .filter((line) => line[1] === 'usage')
    .map((line) => [line[0], line[3], line[4], line[5]])
  assert.deepEqual(usage, [
    ['network-usage', '2026-04-01', '2026-05-01', 300],
    ['disk-usage', '2026-04-01', '2026-05-01', 200],
  ])
})

chapter('1 May: a downgrade below what is used is refused and changes nothing', async () => {
  const before = await diary.subscription(subscription)
  const line = await lineId('odoo-user')
  const reply = await installation.call('POST', `/v1/subscriptions/${subscription}/change-plan`, {
    line,
    quantity: '5',
  })
  assert.equal(reply.body['code'], 'below_current_use')
  assert.deepEqual((await diary.subscription(subscription))['lines'], before['lines'])
})

chapter('2 May: suspended means stopped; resumed means ready again, with its users', async () => {
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'asked by the customer' })
  const stopped = await listObjects(installation.installationId)
  assert.equal(stopped.containers[0]?.State, 'exited')
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  assert.equal(await addUser('gil'), 201)
})

chapter('10 May: a cancellation is withdrawn and leaves no trace in the lines', async () => {
  const before = await diary.subscription(subscription)
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, {
    when: 'period_end',
    reason: 'too expensive',
  })
  assert.equal((await diary.subscription(subscription))['ends_on'], '2026-06-01')
  await diary.post(`/v1/subscriptions/${subscription}/uncancel`, {})
  assert.deepEqual((await diary.subscription(subscription))['lines'], before['lines'])
})

chapter(
  '31 May: cancelled at the period’s end, it gets its final invoice and is undone in reverse until nothing is left',
  async () => {
    await diary.post(`/v1/subscriptions/${subscription}/cancel`, {
      when: 'period_end',
      reason: 'closing down',
    })
    await diary.advance(clock, { by: '1mo' })
    await diary.untilPhase(subscription, 'ended')
    const invoices = await diary.invoices(subscription)
    assert.equal(invoices.length, 3)
    assert.deepEqual(
      linesOf(invoices[2] ?? {}).map((line) => [line[0], line[1], line[3], line[4]]),
      [
        ['network-usage', 'usage', '2026-05-01', '2026-06-01'],
        ['disk-usage', 'usage', '2026-05-01', '2026-06-01'],
      ],
    )
    const unbuild = await installation.db
      .selectFrom('build_steps')
      .innerJoin('build_orders', 'build_orders.id', 'build_steps.build_order_id')
      .select(['build_steps.kind', 'build_steps.state'])
      .where('build_orders.kind', '=', 'unbuild')
      .orderBy('position')
      .execute()
    assert.deepEqual(unbuild, [
      { kind: 'backup', state: 'done' },
      { kind: 'container', state: 'done' },
      { kind: 'volume', state: 'done' },
      { kind: 'network', state: 'done' },
    ])
    const { containers, volumes, networks } = await listObjects(installation.installationId)
    assert.deepEqual([containers, volumes, networks], [[], [], []])
  },
)

chapter('after the end nothing can be asked of it any more', async () => {
  const reply = await installation.call('POST', `/v1/subscriptions/${subscription}/suspend`, {
    reason: 'late',
  })
  assert.equal(reply.body['code'], 'subscription_ended')
})
