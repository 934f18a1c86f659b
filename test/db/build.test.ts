import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { beginStep, failStep, finishStep, markStepUndone } from '#db/build-step.ts'
import { closeBuildOrder, openBuildOrder, readBuildOrder, type BuildOrder } from '#db/build.ts'
import { recordRemoval, recordResource } from '#db/resource.ts'
import type { EventKind } from '#db/event.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

async function newSubscription(): Promise<string> {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-1' })
  return subscriptionIds[0] ?? assert.fail('no subscription')
}

function tell(order: BuildOrder): string[] {
  return order.steps.map((step) => step.kind)
}

async function begin(order: BuildOrder, count: number): Promise<void> {
  for (const step of order.steps.slice(0, count)) {
    await beginStep(seller.db, step.id, 1)
    await finishStep(seller.db, step.id, 'made')
  }
}

async function countEvents(buildOrderId: string, kind: EventKind): Promise<number> {
  const rows = await seller.db
    .selectFrom('events')
    .select('id')
    .where('build_order_id', '=', buildOrderId)
    .where('kind', '=', kind)
    .execute()
  return rows.length
}

const whole = ['network', 'volume', 'image', 'image', 'container', 'container', 'ready']

test('the plan of a build is written before anything is made', async () => {
  const order = await openBuildOrder(seller.db, await newSubscription(), 'build')
  assert.deepEqual(tell(order), whole)
  assert.ok(order.steps.every((step) => step.state === 'planned'))
})

test('opened ten times at once, there is one build order', async () => {
  const subscriptionId = await newSubscription()
  const orders = await Promise.all(
    Array.from({ length: 10 }, async () => openBuildOrder(seller.db, subscriptionId, 'build')),
  )
  assert.equal(new Set(orders.map((order) => order.id)).size, 1)
  assert.ok(orders.every((order) => order.steps.length === whole.length))
})

test('the way back begins with what was begun last, and leaves out what never was', async () => {
  const subscriptionId = await newSubscription()
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  await begin(build, 4)
  const container = build.steps[4]
  assert.equal(container?.kind, 'container')
  await beginStep(seller.db, container.id, 1)
  await failStep(seller.db, container.id, { code: 'image_unknown', detail: 'no such image', isFinal: true })
  await closeBuildOrder(seller.db, build.id, { state: 'failed', event: 'build.failed' })
  const unbuild = await openBuildOrder(seller.db, subscriptionId, 'unbuild')
  assert.deepEqual(tell(unbuild), ['container', 'volume', 'network'])
  assert.deepEqual(
    unbuild.steps.map((step) => step.title),
    [container, build.steps[1], build.steps[0]].map((step) => step?.title),
  )
})

test('a step that was only begun is on the way back: it may have left something', async () => {
  const subscriptionId = await newSubscription()
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  await beginStep(seller.db, build.steps[0]?.id ?? '', 1)
  await closeBuildOrder(seller.db, build.id, { state: 'failed', event: 'build.failed' })
  assert.deepEqual(tell(await openBuildOrder(seller.db, subscriptionId, 'unbuild')), ['network'])
})

test('what was undone is not undone again', async () => {
  const subscriptionId = await newSubscription()
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  await begin(build, 2)
  await markStepUndone(seller.db, build.steps[1]?.id ?? '', 'removed')
  await closeBuildOrder(seller.db, build.id, { state: 'undone', event: 'build.undone' })
  assert.deepEqual(tell(await openBuildOrder(seller.db, subscriptionId, 'unbuild')), ['network'])
})

test('a build that is tried again is a new order, and each object is on the way back once', async () => {
  const subscriptionId = await newSubscription()
  const first = await openBuildOrder(seller.db, subscriptionId, 'build')
  await begin(first, 2)
  await closeBuildOrder(seller.db, first.id, { state: 'failed', event: 'build.failed' })
  const second = await openBuildOrder(seller.db, subscriptionId, 'build')
  assert.notEqual(second.id, first.id)
  await begin(second, whole.length)
  await closeBuildOrder(seller.db, second.id, { state: 'done', event: 'build.done' })
  assert.deepEqual(tell(await openBuildOrder(seller.db, subscriptionId, 'unbuild')), [
    'container',
    'container',
    'volume',
    'network',
  ])
})

test('a build whose workflow was ended from outside does not keep what it made', async () => {
  const subscriptionId = await newSubscription()
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')

  await begin(build, 2)
  assert.deepEqual(tell(await openBuildOrder(seller.db, subscriptionId, 'unbuild')), ['volume', 'network'])
  assert.equal((await readBuildOrder(seller.db, build.id)).state, 'failed')
})

test('nothing was begun: the way back is empty', async () => {
  const subscriptionId = await newSubscription()
  const build = await openBuildOrder(seller.db, subscriptionId, 'build')
  await closeBuildOrder(seller.db, build.id, { state: 'failed', event: 'build.failed' })
  assert.deepEqual((await openBuildOrder(seller.db, subscriptionId, 'unbuild')).steps, [])
})

test('a state that is told twice is told once, with its failure', async () => {
  const order = await openBuildOrder(seller.db, await newSubscription(), 'build')
  const failure = { code: 'not_ready_in_time', detail: 'no answer on the port' }
  const to = { state: 'failed', event: 'build.failed', failure } as const
  await closeBuildOrder(seller.db, order.id, to)
  await closeBuildOrder(seller.db, order.id, to)
  assert.equal(await countEvents(order.id, 'build.failed'), 1)
  assert.equal((await readBuildOrder(seller.db, order.id)).state, 'failed')
  const row = await seller.db
    .selectFrom('build_orders')
    .select(['failure_code', 'failure_detail'])
    .where('id', '=', order.id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { failure_code: failure.code, failure_detail: failure.detail })
})

test('a step that will be tried again stays running, with what went wrong', async () => {
  const order = await openBuildOrder(seller.db, await newSubscription(), 'build')
  const [step] = order.steps
  await beginStep(seller.db, step?.id ?? '', 1)
  await failStep(seller.db, step?.id ?? '', { code: 'internal_error', detail: 'engine gone', isFinal: false })
  assert.equal((await readBuildOrder(seller.db, order.id)).steps[0]?.state, 'running')
  assert.equal(await countEvents(order.id, 'build.step'), 2)
})

test('what exists is recorded once, follows a new id, and is free again when its absence was seen', async () => {
  const instance = await seller.db
    .selectFrom('instances')
    .select('id')
    .where('subscription_id', '=', await newSubscription())
    .executeTakeFirstOrThrow()
  const network = {
    instanceId: instance.id,
    serverId: seller.serverId,
    kind: 'network',
    name: 'acme',
  } as const
  await recordResource(seller.db, { ...network, externalId: 'a' })
  await recordResource(seller.db, { ...network, externalId: 'b' })
  await recordRemoval(seller.db, network)
  await recordRemoval(seller.db, network)
  await recordResource(seller.db, { ...network, externalId: 'c' })
  const rows = await seller.db
    .selectFrom('resources')
    .select(['external_id', 'removed_at'])
    .where('instance_id', '=', instance.id)
    .orderBy('id')
    .execute()
  assert.deepEqual(
    rows.map((row) => [row.external_id, row.removed_at === null]),
    [
      ['b', false],
      ['c', true],
    ],
  )
})
