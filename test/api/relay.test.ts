import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { dispatchOutbox } from '#api/relay.ts'
import { insertWorkflowStart } from '#db/outbox.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { createFakeTemporal } from '#test/support/fake-temporal.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(async () => database.drop())
beforeEach(async () => {
  await database.db.deleteFrom('outbox').execute()
})

async function insertStart(workflowId: string): Promise<void> {
  await insertWorkflowStart(database.db, {
    workflow: 'subscription',
    workflowId,
    taskQueue: 'installation/x',
    args: [],
    keywords: { Phase: 'ordered' },
    summary: '',
    details: '',
  })
}

async function readRow(workflowId: string) {
  return await database.db
    .selectFrom('outbox')
    .selectAll()
    .where('key', '=', workflowId)
    .executeTakeFirstOrThrow()
}

test('a row that a killed process left behind is started, once, by whoever looks next', async () => {
  await insertStart('subscription/a')
  const temporal = createFakeTemporal()
  const relay = { db: database.db, client: temporal.client }
  const done = await Promise.all([dispatchOutbox(relay), dispatchOutbox(relay), dispatchOutbox(relay)])
  assert.equal(
    done.reduce((sum, count) => sum + count, 0),
    1,
  )
  assert.deepEqual(
    temporal.started.map((workflow) => workflow.workflowId),
    ['subscription/a'],
  )
  assert.equal(await dispatchOutbox(relay), 0)
})

test('a workflow that runs already counts as started', async () => {
  await insertStart('subscription/b')
  const temporal = createFakeTemporal()
  temporal.behaviour.onStart = (workflow) =>
    Promise.reject(new WorkflowExecutionAlreadyStartedError('exists', workflow.workflowId, workflow.type))
  assert.equal(await dispatchOutbox({ db: database.db, client: temporal.client }), 1)
  assert.notEqual((await readRow('subscription/b')).done_at, null)
})

test('while Temporal is down a row waits longer each time, with the reason, and is started afterwards', async () => {
  await insertStart('subscription/c')
  const temporal = createFakeTemporal()
  const relay = { db: database.db, client: temporal.client }
  temporal.behaviour.onStart = () => Promise.reject(new Error('connection refused'))
  assert.equal(await dispatchOutbox(relay), 0)
  const failed = await readRow('subscription/c')
  assert.deepEqual([failed.attempts, failed.last_error, failed.done_at], [1, 'connection refused', null])
  assert.ok(Date.parse(failed.try_after) > Date.now())
  temporal.behaviour.onStart = () => Promise.resolve()
  assert.equal(await dispatchOutbox(relay), 0)
  await database.db
    .updateTable('outbox')
    .set({ try_after: new Date(Date.now() - 1000).toISOString() })
    .execute()
  assert.equal(await dispatchOutbox(relay), 1)
})

test('a row whose relay died while starting it is tried again', async () => {
  await insertStart('subscription/d')
  const temporal = createFakeTemporal()
  const { promise: never } = Promise.withResolvers<void>()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  temporal.behaviour.onStart = () => {
    arrive()
    return never
  }
  void dispatchOutbox({ db: database.db, client: temporal.client })
  await arrived
  const claimed = await readRow('subscription/d')
  assert.equal(claimed.done_at, null)
  assert.ok(Date.parse(claimed.try_after) - Date.now() <= 15_000)
})
