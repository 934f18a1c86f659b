import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { changeSubscription } from '#db/plan.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { findNextClockStep, moveTestClock } from '#db/test-clock-step.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const start = '2026-01-31T09:00:00Z'

async function sellOnClock() {
  const testClockId = await seller.clock(start)
  const subscriptionId = await seller.sell({ product: 'odoo-user', quantity: '5', testClockId, now: start })
  const next = async (targetAt: string) => await findNextClockStep(seller.db, testClockId, targetAt)
  return { testClockId, subscriptionId, next }
}

test('a clock stops at every boundary on its way, and at its target', async () => {
  const { testClockId, next } = await sellOnClock()
  assert.equal(await next('2026-06-01T00:00:00Z'), '2026-02-28T00:00:00Z')
  assert.equal(await next('2026-02-10T00:00:00Z'), '2026-02-10T00:00:00Z')
  await moveTestClock(seller.db, testClockId, { from: start, to: '2026-02-28T00:00:00Z' })
  assert.equal(await next('2026-06-01T00:00:00Z'), '2026-06-01T00:00:00Z')
})

test('a clock stops where a change takes effect, and where a subscription ends', async () => {
  const { subscriptionId, next } = await sellOnClock()
  const line = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const command = { subscriptionId, actor: 'test', now: start }
  await changeSubscription(
    seller.db,
    { ...command, requestId: 'down' },
    { subscriptionLineId: line.id, quantity: '3' },
  )
  assert.equal(await next('2026-06-01T00:00:00Z'), '2026-02-28T00:00:00Z')
  await cancelSubscription(
    seller.db,
    { ...command, requestId: 'end' },
    { when: 'period_end', reason: 'moved' },
  )
  assert.equal(await next('2026-06-01T00:00:00Z'), '2026-02-28T00:00:00Z')
})

test('a clock that is told an earlier instant, or one to go to from elsewhere, stays where it is', async () => {
  const testClockId = await seller.clock(start)
  const move = async (from: string, to: string) => await moveTestClock(seller.db, testClockId, { from, to })
  const february = '2026-02-01T00:00:00.000Z'
  assert.equal(await move(start, february), february)
  assert.equal(await move(start, '2026-03-01T00:00:00Z'), february)
  assert.equal(await move(february, '2026-01-01T00:00:00Z'), february)
})

test('a clock that nobody lives by goes straight to its target', async () => {
  const testClockId = await seller.clock(start)
  assert.equal(
    await findNextClockStep(seller.db, testClockId, '2030-01-01T00:00:00Z'),
    '2030-01-01T00:00:00Z',
  )
})
