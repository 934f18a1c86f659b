import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { beginStep } from '#db/build-step.ts'
import { openBuildOrder, readBuildOrder } from '#db/build.ts'
import { findQueuePlace } from '#db/read/build-queue.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

async function placeOf(subscriptionId: string): Promise<number | null> {
  return (await findQueuePlace(seller.db, subscriptionId))?.ahead ?? null
}

test('of fifty orders at once each has its place until its own first step begins', async () => {
  const sold: string[] = []
  for (let count = 0; count < 50; count += 1)
    sold.push(...(await seller.order({ kit: 'odoo-config-2' })).subscriptionIds)
  await seller.db.updateTable('subscriptions').set({ phase: 'building' }).where('id', 'in', sold).execute()
  assert.deepEqual(await Promise.all(sold.map(placeOf)), [...sold.keys()])

  // Planned in another order than sold: what was planned earlier has its turn earlier, all that is planned before the rest.
  const [first = '', second = '', third = ''] = sold
  for (const id of [third, first]) await openBuildOrder(seller.db, id, 'build')
  assert.deepEqual(await Promise.all([third, first, second].map(placeOf)), [0, 1, 2])

  const build = await openBuildOrder(seller.db, third, 'build')
  assert.equal(build.state, 'planned')
  await beginStep(seller.db, build.steps[0]?.id ?? '', 1)
  assert.equal((await readBuildOrder(seller.db, build.id)).state, 'running')
  assert.equal(await placeOf(third), null)
  assert.deepEqual(await Promise.all([first, second].map(placeOf)), [0, 1])
})
