import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { listDeployedInstances } from '#db/instance.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

test('an instance that runs is sampled from the moment its subscription is active', async () => {
  const now = '2026-01-01T00:00:00Z'
  const active = await seller.sell({ kit: 'odoo-config-1', now })
  await seller.order({ kit: 'odoo-config-1', now })
  for (const state of ['building', 'running'] as const)
    await seller.db.updateTable('instances').set({ state }).execute()
  const on = { serverId: seller.serverId, states: ['running'] } as const
  assert.equal((await listDeployedInstances(seller.db, on)).length, 2)
  const sampled = await listDeployedInstances(seller.db, { ...on, phase: 'active' })
  assert.deepEqual(
    sampled.map((instance) => instance.subscriptionId),
    [active],
  )
})
