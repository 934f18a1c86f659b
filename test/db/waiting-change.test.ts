import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { readAgenda } from '#db/agenda.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { changeSubscription, previewChange } from '#db/plan.ts'
import { confirmOrder } from '#db/order.ts'
import { insertProduct } from '#db/product.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import {
  applyWaitingChange,
  planWaitingChange,
  refuseWaitingChange,
  tellOfUnfit,
  withdrawWaitingChange,
} from '#db/waiting-change.ts'
import { endSubscription } from '#db/subscription-end.ts'
import { listFitting, listWaitingRows } from '#db/waiting-decision.ts'
import type { BusinessError } from '#domain/errors.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { findInstanceId, moveInstances } from '#test/support/instances.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

// Five users are sold from 1 April 2026 on: less than is used waits (D-36), and more is sold until the period's end (D-43).
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-04-10T09:00:00Z'

async function sell() {
  const testClockId = await seller.clock('2026-04-01T09:00:00Z')
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', testClockId, now: '2026-04-01T09:00:00Z' })
  await moveInstances(seller.db, subscriptionId, 'building', 'running')
  await moveClock(seller.db, testClockId, now)
  const { id: subscriptionLineId } = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('limit_code', '=', 'users')
    .executeTakeFirstOrThrow()
  let commands = 0
  const key = (at = now) => ({
    subscriptionId,
    requestId: `${subscriptionId}/${commands++}`,
    actor: 'test',
    now: at,
  })
  const plan = async (quantity: string) => {
    const change = { subscriptionLineId, quantity }
    await planWaitingChange(seller.db, key(), { change, used: '9', changeRequestId: undefined })
    const [row] = (await listWaitingRows(seller.db, subscriptionId)).slice(-1)
    return row ?? assert.fail('it waits')
  }
  return { subscriptionId, testClockId, subscriptionLineId, key, plan }
}
type Sold = Awaited<ReturnType<typeof sell>>

const states = async ({ subscriptionId }: Sold) => {
  const rows = await seller.db
    .selectFrom('waiting_changes')
    .select('state')
    .where('subscription_id', '=', subscriptionId)
    .orderBy('id')
    .execute()
  return rows.map(({ state }) => state)
}

const told = async ({ subscriptionId }: Sold, kind: string) => {
  const rows = await seller.db
    .selectFrom('events')
    .select(['kind', 'business_at'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('id')
    .execute()
  return rows.filter((event) => event.kind === kind).map(({ business_at: at }) => String(at).slice(0, 10))
}

test('of a line one change waits: another takes its place, and so does a change that is made', async () => {
  const sold = await sell()
  await sold.plan('4')
  await sold.plan('3')
  await changeSubscription(seller.db, sold.key(), {
    subscriptionLineId: sold.subscriptionLineId,
    quantity: '8',
  })
  assert.deepEqual(await states(sold), ['replaced', 'replaced'])
})

test('at the end of each period that it still waits it is told, once, and nothing is told while the subscription is cancelled', async () => {
  const sold = await sell()
  const { id } = await sold.plan('4')
  const waitingAt = async (at: string) => (await readAgenda(seller.db, sold.subscriptionId, at)).waitingAt
  assert.equal(await waitingAt(now), '2026-05-01T00:00:00Z')
  await tellOfUnfit(seller.db, { id, used: '9', now })
  for (const at of ['2026-05-01T00:00:01Z', '2026-05-02T00:00:00Z', '2026-06-01T00:00:01Z'])
    await tellOfUnfit(seller.db, { id, used: '9', now: at })
  assert.deepEqual(await told(sold, 'subscription.change_unfit'), ['2026-05-01', '2026-06-01'])
  assert.equal(await waitingAt('2026-06-02T00:00:00Z'), '2026-07-01T00:00:00Z')
  await cancelSubscription(seller.db, sold.key(), { when: 'period_end', reason: 'test' })
  assert.equal(await waitingAt('2026-06-02T00:00:00Z'), null)
  await uncancelSubscription(seller.db, sold.key())
  assert.equal(await waitingAt('2026-06-02T00:00:00Z'), '2026-07-01T00:00:00Z')
  await endSubscription(seller.db, sold.subscriptionId, { now })
  assert.deepEqual(await states(sold), ['withdrawn'])
})

test('it is made once, by the terms of the day, and what is used tells when it fits', async () => {
  const sold = await sell()
  const { id, instance_id: instanceId } = await sold.plan('4')
  const use = async (used: string) => {
    const standing = { used_quantity: used, used_at: now }
    await seller.db
      .updateTable('limits')
      .set(standing)
      .where('instance_id', '=', instanceId)
      .where('code', '=', 'users')
      .execute()
    return (await listFitting(seller.db, [instanceId])).map((one) => [one.subscriptionId, one.used])
  }
  assert.deepEqual([await use('5'), await use('4')], [[], [[sold.subscriptionId, '4']]])
  await applyWaitingChange(seller.db, { id, now })
  await applyWaitingChange(seller.db, { id, now })
  assert.deepEqual([await use('4'), await states(sold)], [[], ['applied']])
  const lines = await seller.db
    .selectFrom('subscription_lines')
    .select(['quantity', 'starts_on', 'ends_on'])
    .where('subscription_id', '=', sold.subscriptionId)
    .where('limit_code', '=', 'users')
    .orderBy('starts_on')
    .execute()
  assert.deepEqual(lines, [
    { quantity: '5', starts_on: '2026-04-01', ends_on: '2026-05-01' },
    { quantity: '4', starts_on: '2026-05-01', ends_on: null },
  ])
  const withdraw = async () => await withdrawWaitingChange(seller.db, sold.key(), id)
  await assert.rejects(withdraw, { code: 'change_not_waiting' })
})

test('what cannot be made any more is refused with the reason, and is nobody else’s to withdraw', async () => {
  const [sold, other] = [await sell(), await sell()]
  const { id } = await sold.plan('4')
  const withdraw = async () => await withdrawWaitingChange(seller.db, other.key(), id)
  await assert.rejects(withdraw, { code: 'not_found' })
  for (const reason of ['The line has ended.', 'Again.'])
    await refuseWaitingChange(seller.db, { id, reason, now })
  const row = await seller.db
    .selectFrom('waiting_changes')
    .select(['state', 'refused_reason'])
    .where('id', '=', id)
    .execute()
  assert.deepEqual(row, [{ state: 'refused', refused_reason: 'The line has ended.' }])
})

/** A one-time fee that sells users, in a unit; gives how it is ordered into a subscription. */
async function extraIn(unit: string, limitCode = 'users') {
  const { application_id: application } = await seller.db
    .selectFrom('product_applications')
    .innerJoin('subscription_lines as line', 'line.product_id', 'product_applications.product_id')
    .select('application_id')
    .where('line.limit_code', '=', 'users')
    .executeTakeFirstOrThrow()
  const productId = await insertProduct(seller.db, {
    code: `extra-${unit}-${limitCode}`,
    name: 'Extra',
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: null,
    unit,
    basePrice: perUnitPrice('1.50'),
    currency: 'USD',
    metric: null,
    limitCode,
    applicationIds: [application],
  })
  return async ({ subscriptionId, testClockId }: Sold) => {
    const request = await seller.request({ kit: 'odoo-config-1', testClockId, now })
    const lines = [{ productId, joins: subscriptionId, quantity: '2' }]
    await seller.db.transaction().execute(async (tx) => confirmOrder(tx, { ...request, lines }))
  }
}

test('an extra quantity is on top of what is sold until the end of the period, and of what is sold meanwhile', async () => {
  const sold = await sell()
  const order = await extraIn('user')
  await order(sold)
  const instanceIds = [await findInstanceId(seller.db, sold.subscriptionId)]
  const ceiling = async (at: string) => {
    await seller.db
      .updateTable('test_clocks')
      .set({ now_at: at })
      .where('id', '=', sold.testClockId)
      .execute()
    return (await listSoldLimits(seller.db, { instanceIds }, at)).find(({ code }) => code === 'users')
      ?.quantity
  }
  const after = async (quantity: string) => {
    const change = { subscriptionLineId: sold.subscriptionLineId, quantity }
    return (await previewChange(seller.db, { ...change, subscriptionId: sold.subscriptionId, now })).ceiling
  }
  assert.deepEqual([await after('6'), await after('4')], ['8', '4'])
  assert.equal((await readAgenda(seller.db, sold.subscriptionId, now)).changeAt, '2026-05-01T00:00:00Z')
  assert.deepEqual([await ceiling('2026-04-30T23:59:00Z'), await ceiling('2026-05-01T00:01:00Z')], ['7', '5'])
})

test('an extra quantity of what is not sold, or is sold in another unit, is refused with the line of the order', async () => {
  const sold = await sell()
  const asPiece = await extraIn('piece')
  await assert.rejects(asPiece(sold), ({ code, fields }: BusinessError) => {
    assert.deepEqual([code, fields[0]?.pointer], ['addon_not_available', '/lines/0/product'])
    return true
  })
  await seller.db
    .updateTable('subscription_lines')
    .set({ limit_code: null })
    .where('subscription_id', '=', sold.subscriptionId)
    .execute()
  const order = await extraIn('user', 'emails')
  await assert.rejects(order(sold), { code: 'addon_not_available' })
})
