import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import {
  claimOutboxRows,
  failOutboxRow,
  finishOutboxRow,
  insertWorkflowSignal,
  insertWorkflowStart,
} from '#db/outbox.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(async () => database.drop())

async function insertStart(workflowId: string, summary = ''): Promise<void> {
  await insertWorkflowStart(database.db, {
    workflow: 'subscription',
    workflowId,
    taskQueue: 'installation',
    args: [],
    keywords: {},
    summary,
    details: '',
  })
}

async function claim(limit: number): Promise<string[]> {
  const claimed = await claimOutboxRows(database.db, limit)
  return claimed
    .map((row) => (row.kind === 'start_workflow' ? row.start.workflowId : row.signal.workflowId))
    .toSorted()
}

async function finishAll(): Promise<void> {
  for (const row of await database.db.selectFrom('outbox').select('id').execute()) {
    await finishOutboxRow(database.db, row.id)
  }
}

test('a start that is written twice is one row, the first', async () => {
  await insertStart('subscription/a', 'first')
  await insertStart('subscription/a', 'second')
  const claimed = await claimOutboxRows(database.db, 10)
  assert.deepEqual(
    claimed.map((row) => (row.kind === 'start_workflow' ? row.start.summary : null)),
    ['first'],
  )
  await finishAll()
})

test('a fact that a workflow is told twice is one row, beside that of its start', async () => {
  await insertStart('subscription/told')
  for (let time = 0; time < 2; time += 1) {
    await insertWorkflowSignal(database.db, { workflowId: 'subscription/told', signal: 'orderReleased' })
  }
  const claimed = await claimOutboxRows(database.db, 10)
  assert.deepEqual(
    claimed.map((row) => (row.kind === 'start_workflow' ? row.start.workflow : row.signal.signal)).toSorted(),
    ['orderReleased', 'subscription'],
  )
  await finishAll()
})

test('many relays at once take different rows, and each row once', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `subscription/many-${index}`)
  for (const id of ids) await insertStart(id)
  const claims = await Promise.all(Array.from({ length: 8 }, async () => claim(5)))
  const rest = await claim(100)
  assert.deepEqual([...claims.flat(), ...rest].toSorted(), ids.toSorted())
  assert.deepEqual(await claim(100), [])
  await finishAll()
})

test('a start that failed waits for its next try with its error, and a finished one never comes back', async () => {
  await insertStart('subscription/failing')
  const [claimed] = await claimOutboxRows(database.db, 1)
  await failOutboxRow(database.db, claimed?.id ?? 0, 'temporal_unreachable')
  assert.deepEqual(await claim(10), [])
  await database.db
    .updateTable('outbox')
    .set({ try_after: '2000-01-01T00:00:00Z' })
    .where('key', '=', 'subscription/failing')
    .execute()
  assert.deepEqual(await claim(10), ['subscription/failing'])
  const row = await database.db
    .selectFrom('outbox')
    .select(['attempts', 'last_error'])
    .where('key', '=', 'subscription/failing')
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { attempts: 2, last_error: 'temporal_unreachable' })
  await database.db.updateTable('outbox').set({ attempts: 5_000 }).execute()
  await failOutboxRow(database.db, claimed?.id ?? 0, 'away for days')
  await finishAll()
  await database.db.updateTable('outbox').set({ try_after: '2000-01-01T00:00:00Z' }).execute()
  assert.deepEqual(await claim(100), [])
})
