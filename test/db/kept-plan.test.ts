import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from 'kysely'
import { openDatabase, type Db } from '#db/database.ts'
import { createTestDatabase } from '#test/support/database.ts'

/** One connection, on which plans are kept. */
async function withKeptPlans(work: (db: Db) => Promise<void>): Promise<void> {
  const database = await createTestDatabase()
  const db = openDatabase(database.url, { maxConnections: 1, arePlansKept: true })
  try {
    await sql`create table notes (id integer primary key, body text)`.execute(db)
    await work(db)
  } finally {
    await db.destroy()
    await database.drop()
  }
}

async function times(count: number, work: (turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await work(turn)
}

async function listKept(db: Db): Promise<string[]> {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db)
  return rows.map(({ statement }) => statement)
}

const readNote = async (db: Db, id: number) =>
  (await sql`select * from notes where id = ${id}`.execute(db)).rows

test('the plan of a read is kept once it was asked five times, that of a write never', async () => {
  await withKeptPlans(async (db) => {
    await times(4, async (id) => readNote(db, id))
    assert.deepEqual(await listKept(db), [])
    await times(10, async (id) => sql`insert into notes values (${id}, 'a')`.execute(db))
    await readNote(db, 3)
    assert.deepEqual(await listKept(db), ['select * from notes where id = $1'])
    assert.deepEqual(await readNote(db, 7), [{ id: 7, body: 'a' }])
  })
})

test('a read whose plan was kept is answered with the columns that a migration adds', async () => {
  await withKeptPlans(async (db) => {
    await sql`insert into notes values (1, 'a')`.execute(db)
    await times(6, async () => readNote(db, 1))
    await sql`alter table notes add column colour text default 'red'`.execute(db)
    assert.deepEqual(await readNote(db, 1), [{ id: 1, body: 'a', colour: 'red' }])
    await times(6, async () => readNote(db, 1))
    assert.deepEqual(await readNote(db, 1), [{ id: 1, body: 'a', colour: 'red' }])
  })
})

test('a transaction that meets an outdated plan fails, and succeeds when it is tried again', async () => {
  await withKeptPlans(async (db) => {
    await sql`insert into notes values (1, 'a')`.execute(db)
    await times(6, async () => readNote(db, 1))
    await sql`alter table notes add column colour text default 'red'`.execute(db)
    const inTransaction = async () => await db.transaction().execute(async (tx) => await readNote(tx, 1))
    await assert.rejects(inTransaction)
    assert.deepEqual(await inTransaction(), [{ id: 1, body: 'a', colour: 'red' }])
  })
})

test('an error of a read is that of the database, kept or not', async () => {
  await withKeptPlans(async (db) => {
    const divide = async (by: number) => await sql`select 1 / ${by}::integer as share`.execute(db)
    await times(6, async () => divide(1))
    await assert.rejects(divide(0), { code: '22012' })
  })
})
