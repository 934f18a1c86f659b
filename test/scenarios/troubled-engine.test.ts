import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { BusinessError } from '#domain/errors.ts'
import type { Runner } from '#domain/runner.ts'
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
const trouble = { isEngineAway: false, isLimitRefused: false, isMetricBroken: false }

/** The real engine, with what a test asks for going wrong before it is reached. */
function troubled(runner: Runner): Runner {
  const reach = () => {
    if (trouble.isEngineAway) throw new Error('connect ENOENT: the engine does not answer')
  }
  return {
    ...runner,
    ensure: async (step, ctx) => {
      reach()
      return await runner.ensure(step, ctx)
    },
    readMetrics: async (ref, ctx) => {
      if (trouble.isMetricBroken) throw new Error('the metric disk printed no number')
      return await runner.readMetrics(ref, ctx)
    },
    applyLimit: async (ref, limit, ctx) => {
      if (trouble.isLimitRefused)
        throw new BusinessError('limit_not_in_force', 'The instance still says 5 users.')
      return await runner.applyLimit(ref, limit, ctx)
    },
  }
}

before(async () => {
  installation = await startInstallation({ wrapRunner: troubled })
  diary = createDiary(installation)
})
after(async () => await installation.stop())

async function openTasks(subscription: string): Promise<Json[]> {
  const tasks = await diary.list('/v1/tasks?limit=100')
  return tasks.filter((task) => task['closed_at'] === null && task['subject_id'] === subscription)
}

test('an engine that is away parks nothing: the step is tried again and the build goes on by itself', async () => {
  trouble.isEngineAway = true
  const subscription = await diary.order([{ product: 'static-site' }])
  await until('the step says why it waits', async () => {
    const step = await installation.db
      .selectFrom('build_steps')
      .select('failure_detail')
      .where('attempt', '>', 1)
      .executeTakeFirst()
    return step?.failure_detail?.includes('does not answer')
  })
  const waiting = await diary.subscription(subscription)
  assert.deepEqual([waiting['phase'], waiting['parked_reason']], ['building', null])
  trouble.isEngineAway = false
  await diary.untilPhase(subscription, 'active')
  assert.equal((await listObjects(installation.installationId)).containers.length, 1)
})

test('an upgrade that the instance refuses changes no line and charges nothing; a task says why', async () => {
  const subscription = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(subscription, 'active')
  await until('the first bill', async () => (await diary.invoices(subscription)).length === 1)
  const before = await diary.subscription(subscription)
  const [line] = before['lines'] as Json[]
  trouble.isLimitRefused = true
  const reply = await installation.call('POST', `/v1/subscriptions/${subscription}/change-plan`, {
    line: line?.['id'],
    quantity: '9',
  })
  trouble.isLimitRefused = false
  assert.equal(reply.body['code'], 'limit_not_in_force')
  assert.deepEqual((await diary.subscription(subscription))['lines'], before['lines'])
  assert.equal((await diary.invoices(subscription)).length, 1)
  const [task] = await openTasks(subscription)
  assert.match(String(task?.['detail']), /still says 5 users/)
})

test('what a foreign object keeps from being removed waits with one task, and ends after the retry', async () => {
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.find((found) => found.Labels['io.clouder.subscription'] === subscription)
  assert.ok(own)
  const name = own.Names[0]?.slice(1) ?? ''
  await docker.getContainer(own.Id).remove({ force: true })
  const foreign = await docker.createContainer({
    name,
    Image: own.Image,
    Labels: { 'io.clouder.installation': installation.installationId },
  })

  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'the end' })
  const parked = await diary.untilParked(subscription)
  assert.deepEqual([parked['phase'], parked['parked_reason']], ['unbuilding', 'name_taken_on_server'])
  assert.equal((await openTasks(subscription)).length, 1)
  assert.equal((await foreign.inspect()).Id, foreign.id)

  await foreign.remove({ force: true })
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  assert.deepEqual(await openTasks(subscription), [])
})

test('a metric that cannot be read holds up no end: a task says what is missing', async () => {
  const subscription = await diary.order([{ product: 'static-site' }])
  await diary.untilPhase(subscription, 'active')
  trouble.isMetricBroken = true
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'the end' })
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  trouble.isMetricBroken = false
  const [task] = await openTasks(subscription)
  assert.equal(task?.['kind'], 'metric_failed')
  assert.match(String(task?.['detail']), /printed no number/)
})

test('a last bill that cannot be made parks the subscription, and is made once its cause is gone', async () => {
  const subscription = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(subscription, 'active')
  await until('the first bill', async () => (await diary.invoices(subscription)).length === 1)
  const setUnit = async (unit: string) =>
    await installation.db
      .updateTable('subscription_lines')
      .set({ unit })
      .where('metric', '=', 'network')
      .execute()
  await setUnit('user')
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'the end' })
  const parked = await diary.untilParked(subscription)
  assert.equal(parked['parked_reason'], 'unit_not_convertible')
  assert.equal((await openTasks(subscription)).length, 1)
  await setUnit('GiB')
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  assert.equal((await diary.invoices(subscription)).length, 2)
  assert.deepEqual(await openTasks(subscription), [])
})
