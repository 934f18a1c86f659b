import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { ensureInstallation } from '#bin/installation.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(async () => await database.drop())

test('processes that start at once find one server, and a later start leaves its ports and addresses as they are', async () => {
  const { db } = database
  const readServers = async () =>
    await db.selectFrom('servers').select(['id', 'code', 'runner', 'port_range', 'subnet_pool']).execute()
  const found = await Promise.all([1, 2, 3].map(async () => await ensureInstallation(db, 'dry-run')))
  const [server, ...others] = await readServers()
  assert.deepEqual(others, [])
  assert.deepEqual([...new Set(found.map(({ serverId }) => serverId))], [server?.id])

  assert.equal((await ensureInstallation(db, 'docker')).serverId, server?.id)
  assert.deepEqual(await readServers(), [{ ...server, runner: 'docker' }])
})
