import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { openDatabase } from '#db/database.ts'
import { addServer } from '#db/server.ts'
import { makeServerLogin } from '#db/server-login.ts'
import { removeServer } from '#db/server-removal.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-03-01T00:00:00.000Z'
const actor = 'operator'

async function countServers(login: { user: string; password: string }): Promise<number> {
  const url = new URL(seller.url)
  url.username = login.user
  url.password = login.password
  const db = openDatabase(url.href, { maxConnections: 1 })
  try {
    return (await db.selectFrom('servers').select('id').execute()).length
  } finally {
    await db.destroy()
  }
}

test('a server’s login ends with the next one, and with the server', async () => {
  const { db } = seller
  const installation = await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  const serverId = await db
    .transaction()
    .execute(async (tx) => addServer(tx, { code: 'rack-2', ports: null, engine: null, actor }, null, now))
  const make = async (password: string) =>
    await db
      .transaction()
      .execute(async (tx) => makeServerLogin(tx, { installationId: installation.id, serverId, password }))
  const first = await make('first')
  assert.equal(await countServers(first), 2)
  const second = await make('second')
  await assert.rejects(countServers(first), { code: '28P01' })
  assert.equal(await countServers(second), 2)
  await db.transaction().execute(async (tx) => removeServer(tx, serverId, { actor, now }))
  await assert.rejects(countServers(second), { code: '28P01' })
})

test('two servers that join at once both get a login', async () => {
  const { db } = seller
  const installation = await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  const made = ['rack-3', 'rack-4'].map(async (code) => {
    const serverId = await db
      .transaction()
      .execute(async (tx) => addServer(tx, { code, ports: null, engine: null, actor }, null, now))
    return await db
      .transaction()
      .execute(async (tx) =>
        makeServerLogin(tx, { installationId: installation.id, serverId, password: code }),
      )
  })
  for (const login of await Promise.all(made)) assert.notEqual(await countServers(login), 0)
})
