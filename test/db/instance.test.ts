import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveApplication } from '#db/application.ts'
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

test('D-40 an edited application is that of new instances; one that runs keeps what it was built with', async () => {
  const { db } = seller
  const product = { kit: 'odoo-config-1', now: '2026-01-01T00:00:00Z' }
  const before = await seller.sell(product)
  const memoryOf = async (subscriptionId: string) => {
    const [instance] = await listDeployedInstances(db, { subscriptionId })
    return instance?.definition.services.map(({ memoryMib }) => memoryMib)
  }
  const first = await memoryOf(before)
  const [{ definition } = assert.fail('it has an instance')] = await listDeployedInstances(db, {
    subscriptionId: before,
  })
  const services = definition.services.map((service) => ({ ...service, memoryMib: 777 }))
  await saveApplication(db, { compose: 'more memory', definition: { ...definition, services } })
  const after = await seller.sell(product)
  assert.deepEqual(await memoryOf(before), first)
  assert.notDeepEqual(first, await memoryOf(after))
  assert.ok((await memoryOf(after))?.every((memoryMib) => memoryMib === 777))
})
