import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { listHostRules, noteHostRules, readGuests } from '#db/host-rules.ts'
import { encodeId } from '#domain/identifier.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

test('what was seen of the rules of a server is kept until it is seen again', async () => {
  const { id, subnet_pool: pool } = await seller.db
    .selectFrom('servers')
    .select(['id', 'subnet_pool'])
    .executeTakeFirstOrThrow()
  const { id: installation } = await seller.db
    .selectFrom('installation')
    .select('id')
    .executeTakeFirstOrThrow()
  assert.deepEqual(await readGuests(seller.db, id), {
    installation: encodeId('installation', installation),
    pool,
  })
  const seen = async () => (await listHostRules(seller.db)).map(({ code, rules }) => [code, rules?.state])
  await seller.db.updateTable('servers').set({ runner: 'docker' }).execute()
  assert.deepEqual(await seen(), [['local', undefined]])
  await noteHostRules(seller.db, id, { state: 'not_permitted', detail: 'must be root' })
  assert.deepEqual(await seen(), [['local', 'not_permitted']])
  await noteHostRules(seller.db, id, { state: 'kept', detail: 'chain CLOUDER-1' })
  assert.deepEqual(await seen(), [['local', 'kept']])
})
