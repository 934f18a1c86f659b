import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import {
  claimWorkflowStarts,
  failWorkflowStart,
  finishWorkflowStart,
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
  const claimed = await claimWorkflowStarts(database.db, limit)
  return claimed.map(({ start }) => start.workflowId).toSorted()
}

async function finishAll(): Promise<void> {
  for (const row of await database.db.selectFrom('outbox').select('id').execute()) {
    await finishWorkflowStart(database.db, row.id)
  }
}

test('a start that is written twice is one row, the first', async () => {
  await insertStart('subscription/a', 'first')
  await insertStart('subscription/a', 'second')
  const claimed = await claimWorkflowStarts(database.db, 10)
  assert.deepEqual(
    claimed.map(({ start }) => start.summary),
    ['first'],
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
  const [claimed] = await claimWorkflowStarts(database.db, 1)
  await failWorkflowStart(database.db, claimed?.id ?? 0, 'temporal_unreachable')
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
  await failWorkflowStart(database.db, claimed?.id ?? 0, 'away for days')
  await finishAll()
  await database.db.updateTable('outbox').set({ try_after: '2000-01-01T00:00:00Z' }).execute()
  assert.deepEqual(await claim(100), [])
})
