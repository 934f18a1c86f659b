import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { migrate, pendingMigrations } from '#db/migrate.ts'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { readSchemaText } from '#test/support/schema-text.ts'

const folder = path.join(import.meta.dirname, '../../db')
const names = globSync('*.ts', { cwd: path.join(folder, 'migrations') })
  .map((file) => path.basename(file, '.ts'))
  .toSorted()

test('an empty database is brought up to date, and a second run does nothing', async () => {
  const { url, drop } = await createEmptyDatabase()
  try {
    assert.deepEqual(await pendingMigrations(url), names)
    assert.deepEqual(await migrate(url), names)
    assert.deepEqual(await migrate(url), [])
    assert.deepEqual(await pendingMigrations(url), [])
  } finally {
    await drop()
  }
})

test('of twenty that migrate at once each migration is run by one', async () => {
  const { url, drop } = await createEmptyDatabase()
  try {
    const runs = await Promise.all(Array.from({ length: 20 }, async () => migrate(url)))
    assert.deepEqual(runs.flat(), names)
  } finally {
    await drop()
  }
})

test('db/schema.sql is what the migrations make', async (t) => {
  const { db, drop } = await createTestDatabase()
  try {
    const text = await readSchemaText(db)
    showFix(() => t.assert.fileSnapshot(text, path.join(folder, 'schema.sql'), { serializers: [String] }))
  } finally {
    await drop()
  }
})

function showFix(compare: () => void): void {
  try {
    compare()
  } catch (error) {
    const command = 'npm test -- test/db/migrate.test.ts --test-update-snapshots'
    throw new Error(
      `db/schema.sql does not show the migrations. Write it again and read its diff: ${command}`,
      {
        cause: error,
      },
    )
  }
}
